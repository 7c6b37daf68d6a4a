"""The fleet on a real Docker Engine, with a proxy that cuts its connections."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pyd_core.client.connect import open_engine
from pyd_core.client.endpoint import DOCKER_SOCKET, Endpoint
from pyd_core.tasks import TaskOwner
from pyd_core.watch.container_watcher import ContainerWatcher
from pyd_core.watch.delta import Delta
from support.docker import Docker
from support.proxy import Proxy

TIMEOUT_S = 120.0
"""Seconds after which a test that waits for an engine has failed."""


class Watched:
    """A fleet, all its deltas, and a way to wait for what they bring."""

    def __init__(self, fleet: ContainerWatcher) -> None:
        self.fleet = fleet
        self.deltas: list[Delta] = []
        self._news = asyncio.Event()
        fleet.subscribe(self._on_delta)

    def _on_delta(self, delta: Delta) -> None:
        self.deltas.append(delta)
        self._news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def live(self) -> None:
        await self.until(lambda: self.fleet.connection.state == "live")

    def names(self, prefix: str) -> list[str]:
        """The names in the events so far that begin so."""
        return [e.name for delta in self.deltas for e in delta.events if e.name.startswith(prefix)]


@asynccontextmanager
async def watching(url: str) -> AsyncIterator[Watched]:
    async with open_engine(Endpoint(url=url)) as engine, TaskOwner() as tasks:
        watched = Watched(ContainerWatcher(engine))
        tasks.start(watched.fleet.run())
        await watched.live()
        yield watched


async def docker_does(docker: Docker, *arguments: str) -> str:
    return await asyncio.to_thread(docker, *arguments)


@pytest.fixture
async def proxy(docker: Docker, tmp_path: Path) -> AsyncIterator[Proxy]:
    async with Proxy(Path(DOCKER_SOCKET.removeprefix("unix://")), tmp_path / "engine.sock") as item:
        yield item


async def test_a_death_arrives_with_its_exit_code(docker: Docker, busybox: str):
    async with watching(DOCKER_SOCKET) as watched:
        containers = watched.fleet.containers
        name = await asyncio.to_thread(docker.run, "death", busybox, "sleep", "1000", options=("--network", "none"))
        identity = await docker_does(docker, "inspect", "-f", "{{.Id}}", name)
        await watched.until(lambda: identity in containers and containers[identity].pid > 0)
        assert (containers[identity].name, containers[identity].state) == (name, "running")
        await docker_does(docker, "kill", name)
        await watched.until(lambda: containers[identity].state == "exited")
        assert containers[identity].exit_code == 137
        assert containers[identity].finished_ns is not None
        await docker_does(docker, "rm", name)
        await watched.until(lambda: identity not in containers)


async def test_what_list_and_inspect_tell_of_a_container_agrees(docker: Docker, busybox: str):
    limits = ("-m", "64m", "--cpus", "0.5", "--pids-limit", "50", "--label", "com.docker.compose.project=shop")
    name = docker.run("changes", busybox, "sleep", "1000", options=(*limits, "--network", "none"))
    identity = docker("inspect", "-f", "{{.Id}}", name)
    async with watching(DOCKER_SOCKET) as watched:
        before = watched.fleet.containers[identity]
        await watched.until(lambda: watched.fleet.containers[identity].detailed)
        after = watched.fleet.containers[identity]
    for entry in (before, after):
        assert (entry.name, entry.image, entry.state, entry.project) == (name, busybox, "running", "shop")
    assert (after.memory_limit, after.cpu_limit, after.pids_limit) == (64 * 2**20, 0.5, 50)


async def test_events_of_the_time_of_a_cut_are_all_there_once(docker: Docker, busybox: str, proxy: Proxy):
    marker = docker.name("marker")
    expected = [f"{marker}:{tag}" for tag in ["first", *map(str, range(100)), "last"]]
    async with watching(proxy.url) as watched, open_engine(Endpoint(url=DOCKER_SOCKET)) as engine:
        await engine.images.tag(busybox, repository=marker, tag="first")
        await watched.until(lambda: expected[0] in watched.names(marker))
        proxy.refuse()
        await watched.until(lambda: watched.fleet.connection.state == "lost")
        for number in range(100):
            await engine.images.tag(busybox, repository=marker, tag=str(number))
        proxy.accept()
        await watched.live()
        await engine.images.tag(busybox, repository=marker, tag="last")
        await watched.until(lambda: expected[-1] in watched.names(marker))
        got = watched.names(marker)
        for name in expected:
            await engine.images.remove(name)
    assert got == expected
    (gap,) = [delta.gap for delta in watched.deltas if delta.gap is not None]
    assert gap.lost == 0


async def test_what_came_and_went_during_a_cut_is_found(docker: Docker, busybox: str, proxy: Proxy):
    old = docker.run("old", busybox, "sleep", "1000", options=("--network", "none"))
    async with watching(proxy.url) as watched:
        assert old in {entry.name for entry in watched.fleet.containers.values()}
        proxy.refuse()
        await watched.until(lambda: watched.fleet.connection.state == "lost")
        await docker_does(docker, "rm", "-f", old)
        new = await asyncio.to_thread(docker.run, "new", busybox, "sleep", "1000", options=("--network", "none"))
        proxy.accept()
        await watched.live()
        names = {entry.name for entry in watched.fleet.containers.values()}
        assert new in names
        assert old not in names
