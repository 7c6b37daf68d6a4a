"""The recorder beside a real engine: what it writes outlives restart and removal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from pyd_core.client.connect import open_engine
from pyd_core.client.engine_choice import choose_endpoint
from pyd_core.tasks import TaskOwner
from pyd_core.watch.death_recorder import DeathRecorder
from pyd_core.watch.history_store import Death, HistoryReader, HistoryStore
from support.docker import Docker

NONE = ("--network", "none")
SMALL = (*NONE, "-m", "20m", "--memory-swap", "20m")
TIMEOUT_S = 120.0


Recording = Callable[[], AbstractAsyncContextManager["Deaths"]]


class Deaths:
    """The deaths of this run's containers as they are recorded."""

    def __init__(self, corner: Docker, store: HistoryStore) -> None:
        self._corner = corner
        self._came = asyncio.Condition()
        self._all: list[Death] = []
        self.store = store

    async def add(self, death: Death) -> None:
        async with self._came:
            self._all.append(death)
            self._came.notify_all()

    async def of(self, short: str, count: int = 1) -> list[Death]:
        """Wait until so many are recorded."""
        name = self._corner.name(short)

        def mine() -> list[Death]:
            return [death for death in self._all if death.name == name]

        async with asyncio.timeout(TIMEOUT_S), self._came:
            await self._came.wait_for(lambda: len(mine()) >= count)
            return mine()


@pytest.fixture
def recording(docker: Docker, tmp_path: Path) -> Recording:
    @asynccontextmanager
    async def run() -> AsyncIterator[Deaths]:
        store = HistoryStore(tmp_path / "history.db")
        deaths = Deaths(docker, store)
        async with open_engine(choose_endpoint(host="unix:///var/run/docker.sock")) as engine, TaskOwner() as owner:
            recorder = DeathRecorder(engine, store, on_death=deaths.add)
            task = owner.start(recorder.run())
            live = asyncio.Event()
            recorder.watcher.subscribe(lambda _: live.set() if recorder.watcher.connection.state == "live" else None)
            async with asyncio.timeout(TIMEOUT_S):
                await live.wait()
            yield deaths
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        store.close()

    return run


async def started(docker: Docker, short: str, image: str, *command: str, options: tuple[str, ...]) -> None:
    await asyncio.to_thread(docker.run, short, image, *command, options=options)


async def test_one_removed_as_soon_as_it_was_killed_for_memory(
    docker: Docker, stage_image: str, recording: Recording
) -> None:
    async with recording() as deaths:
        await started(docker, "gone-oom", stage_image, "/hog", options=("--rm", *SMALL))
        (death,) = await deaths.of("gone-oom")
    assert death.verdict.cause == "oom-killed"
    assert death.code == 137
    assert death.container not in docker("ps", "-aq", "--no-trunc")


async def test_the_last_words_of_one_removed_at_once(docker: Docker, stage_image: str, recording: Recording) -> None:
    async with recording() as deaths:
        script = 'echo starting; echo "sh: DATABASE_URL: parameter not set" >&2; exit 2'
        await started(docker, "gone-words", stage_image, "sh", "-c", script, options=("--rm", *NONE))
        (death,) = await deaths.of("gone-words")
    assert death.verdict.cause == "missing-env", death
    assert sorted(death.lines) == ["sh: DATABASE_URL: parameter not set", "starting"]


async def test_the_last_words_of_one_without_a_log(docker: Docker, stage_image: str, recording: Recording) -> None:
    """Asked for such a log, Docker Engine answers after 15 s, and starts no container meanwhile."""
    async with recording() as deaths:
        script = 'sleep 1; echo "sh: DATABASE_URL: parameter not set" >&2; exit 2'
        options = ("--rm", "--log-driver", "none", *NONE)
        await started(docker, "unlogged", stage_image, "sh", "-c", script, options=options)
        (death,) = await deaths.of("unlogged")
    assert death.verdict.cause == "missing-env", death
    assert list(death.lines) == ["sh: DATABASE_URL: parameter not set"]


async def test_each_death_of_a_loop_is_recorded(docker: Docker, stage_image: str, recording: Recording) -> None:
    async with recording() as deaths:
        options = (*NONE, "--restart", "always")
        await started(docker, "loop-rec", stage_image, "sh", "-c", "exit 4", options=options)
        result = await deaths.of("loop-rec", 4)
        docker("rm", "-f", docker.name("loop-rec"))
    assert {death.code for death in result[:4]} == {4}
    assert result[3].verdict.cause == "restart-loop"
    assert len({death.ended_ns for death in result}) == len(result)


async def test_a_stop_past_its_grace_is_told_after_removal(
    docker: Docker, stage_image: str, recording: Recording
) -> None:
    async with recording() as deaths:
        await started(docker, "gone-stop", stage_image, "sleep", "60", options=NONE)
        await asyncio.to_thread(docker, "stop", "-t", "1", docker.name("gone-stop"))
        docker("rm", docker.name("gone-stop"))
        (death,) = await deaths.of("gone-stop")
    assert death.verdict.cause == "stop-timeout"


async def test_memory_up_to_the_death_is_kept_with_its_peak(
    docker: Docker, stage_image: str, recording: Recording
) -> None:
    async with recording() as deaths:
        script = "/hog 10 & sleep 3; kill -9 $!; exit 5"
        await started(docker, "grows", stage_image, "sh", "-c", script, options=NONE)
        (death,) = await deaths.of("grows")
        docker("rm", docker.name("grows"))
        store = deaths.store
    again = HistoryReader(store.path)
    recorded = again.deaths(death.name)[0]
    curve = again.points(death.container, since=death.ended_ns // 10**9 - 60, until=death.ended_ns // 10**9)
    again.close()
    assert recorded.memory_peak is not None
    assert recorded.memory_peak > 10 * 2**20
    assert max(point.memory or 0 for point in curve) > 10 * 1024
