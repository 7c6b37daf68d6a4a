"""Verdicts on containers that look broken: asked for when somebody looks, kept for as long as the run lasts."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from pyd_core.errors import NotFound, PydError
from pyd_core.tasks import TaskOwner
from pyd_core.watch.container_info import ContainerInfo

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient
    from pyd_core.triage.verdict import Verdict

Run = tuple[str, str, int | None, int | None, int]
"""What makes a verdict another: state, health, start, end and restarts of a container."""
Found = Callable[[str, Run, "Verdict | PydError"], None]


def run_of(entry: ContainerInfo) -> Run:
    """Returns what a verdict on a container is about."""
    return (entry.state, entry.health, entry.started_ns, entry.finished_ns, entry.restart_count)


class VerdictCache:
    """Asks triage about containers, one after another, and keeps each answer until the container's run is another.

    On a local engine this happens on a thread with a connection of its own, because triage reads the kernel log,
    cgroups and files there; elsewhere it only asks the engine, and stays on the event loop.

    Args:
        engine: Returns the engine, None while there is none.
    """

    def __init__(self, engine: Callable[[], EngineClient | None]) -> None:
        self._engine = engine
        self._tasks = TaskOwner(self._failed)
        self._known: dict[str, tuple[Run, Verdict | PydError]] = {}
        self._wanted: dict[str, Run] = {}
        self._asked: dict[str, Run] = {}
        self._ended = threading.Event()
        self.on_verdict: Callable[[], None] = lambda: None

    def answer(self, entry: ContainerInfo) -> Verdict | PydError | None:
        """Returns the verdict on a container's present run, or why there is none; None while nobody has asked."""
        known = self._known.get(entry.id)
        return known[1] if known is not None and known[0] == run_of(entry) else None

    def of(self, entry: ContainerInfo) -> Verdict | None:
        """Returns the verdict on a container's present run, if it is there."""
        found = self.answer(entry)
        return None if isinstance(found, PydError) else found

    def want(self, entries: Iterable[ContainerInfo]) -> None:
        """Has these judged soon, except for those that are or will be; returns at once."""
        for entry in entries:
            run = run_of(entry)
            if entry.detailed and self.answer(entry) is None and self._asked.get(entry.id) != run:
                self._wanted[entry.id] = self._asked[entry.id] = run
        if self._wanted and not len(self._tasks) and self._engine() is not None:
            self._tasks.start(self._work(), name="verdicts")

    def forget(self, ids: Iterable[str]) -> None:
        """Drops what is known of containers that are gone."""
        for identity in ids:
            for table in (self._known, self._wanted, self._asked):
                table.pop(identity, None)

    def renew(self, entry: ContainerInfo) -> None:
        """Has one judged again, for what couldn't be read may be readable now."""
        self.forget([entry.id])
        self.want([entry])

    async def aclose(self) -> None:
        """Ends it; a thread that waits for the engine is left behind and hurts nobody."""
        self._ended.set()
        await self._tasks.aclose()

    async def _work(self) -> None:
        while self._wanted and (engine := self._engine()) is not None:
            batch, self._wanted = list(self._wanted.items()), {}
            if engine.endpoint.is_local:
                await self._aside(engine, batch)
            else:
                await _judge(engine, batch, self._found, self._ended.is_set)

    async def _aside(self, engine: EngineClient, batch: list[tuple[str, Run]]) -> None:
        """Judges on a thread that ends with the process at the latest: leaving must never wait for an engine."""
        from pyd_core.client.transport.blocking import blocking_engine, run_now  # noqa: PLC0415 - once somebody asks

        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def tell(identity: str, run: Run, answer: Verdict | PydError) -> None:
            loop.call_soon_threadsafe(self._found, identity, run, answer)

        def end(error: Exception | None) -> None:
            if not done.done():
                done.set_result(None) if error is None else done.set_exception(error)

        def work() -> None:
            failure: Exception | None = None
            try:
                run_now(_judge_and_close(blocking_engine(engine.endpoint), batch, tell, self._ended.is_set))
            except Exception as error:  # noqa: BLE001 - handed to the loop, where it is reported
                failure = error
            with suppress(RuntimeError):  # the loop is closed already
                loop.call_soon_threadsafe(end, failure)

        threading.Thread(target=work, name="verdicts", daemon=True).start()
        await done

    def _found(self, identity: str, run: Run, answer: Verdict | PydError) -> None:
        if self._asked.get(identity) == run and not self._ended.is_set():
            del self._asked[identity]
            self._known[identity] = (run, answer)
            self.on_verdict()

    def _failed(self, error: Exception) -> None:
        known = error if isinstance(error, PydError) else PydError(f"internal error: {type(error).__name__}: {error}")
        for identity, run in self._asked.items():
            self._known[identity] = (run, known)
        self._asked.clear()
        self._wanted.clear()
        self.on_verdict()


async def _judge(engine: EngineClient, batch: list[tuple[str, Run]], found: Found, ended: Callable[[], bool]) -> None:
    """Asks triage about some containers; what they share (the kernel log, the engine's events) is read once."""
    from pyd_core.triage.api import explain  # noqa: PLC0415 - forty rules, loaded when somebody asks
    from pyd_core.triage.collect.gather import SharedEvidence  # noqa: PLC0415 - as above

    around = await SharedEvidence.of(engine, all_events=len(batch) > 1)
    for identity, run in batch:
        if ended():
            return
        try:
            found(identity, run, await explain(engine, identity, shared=around))
        except NotFound:
            continue
        except PydError as error:
            found(identity, run, error)


async def _judge_and_close(
    engine: EngineClient, batch: list[tuple[str, Run]], found: Found, ended: Callable[[], bool]
) -> None:
    async with engine:
        await _judge(engine, batch, found, ended)
