"""Targets that end while their helper container is started next to them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from pyd_core.client.containers import ContainersApi
from pyd_core.client.endpoint import Endpoint
from pyd_core.debug.helper import session as helper
from pyd_core.debug.helper.access import open_helper_access
from pyd_core.debug.helper.container import LABEL
from pyd_core.debug.helper.launch import ENDED, MAX_ATTEMPTS
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.resolve import open_engine, resolve_remote
from pyd_core.debug.sessions.request import SessionRequest
from pyd_core.debug.sessions.supervisor_process import Supervisor
from pyd_core.debug.user_io import NoticesOnly
from pyd_core.errors import Conflict, NotFound
from support.debugging import main_pid
from support.docker import LONE, Docker, busybox_files
from support.podman import Podman
from support.pydd import Pydd

KNOWN = b"what it holds\n"

Blow = Callable[[str], object]


class EngineHost:
    """An engine, and an image on it."""

    def __init__(self, docker: Docker) -> None:
        self.docker = docker
        self.endpoint = Endpoint(url=docker.host)
        self.image = docker.image("ending", {**busybox_files(), "known": KNOWN})

    def run(self, name: str) -> str:
        """Start a container that would run for ever."""
        return self.docker.run(name, self.image, "sleep", "10000", options=LONE)

    def kill(self, name: str) -> None:
        """Kill a container's main process behind the engine's back, which may not know it yet."""
        os.kill(main_pid(self.docker, name), signal.SIGKILL)

    def kill_and_wait(self, name: str) -> None:
        """The same; the engine knows it then."""
        self.docker("kill", name)
        self.docker("wait", name)

    def left(self, name: str) -> str:
        """Helpers and stand-ins."""
        return self.docker("ps", "-aq", "--filter", f"label={LABEL}.target={self.docker.inspect(name)['Id']}")


@pytest.fixture(scope="module", params=["Docker", "pydd"])
def host(request: pytest.FixtureRequest) -> Iterator[EngineHost]:
    if request.param == "Docker":
        with Docker() as docker:
            yield EngineHost(docker)
    elif request.param == "pydd":
        with Pydd.started() as engine, Docker(host=engine.host) as docker:
            yield EngineHost(docker)
    else:
        with Podman(storage="overlay") as podman, podman.corner() as docker:
            yield EngineHost(docker)


@contextmanager
def striking(before: Blow, after: Blow, target: str, *, times: int) -> Iterator[None]:
    """Have something done to a target before and after a helper of its is started, the first so many times."""
    real, started = ContainersApi.start, list[str]()

    async def start(self: ContainersApi, name: str, *, detach_keys: str | None = None) -> None:
        labels = (await self.inspect(name)).config.labels or {}
        strikes = len(started) < times and labels.get(f"{LABEL}.client") is not None
        started.append(name)
        if strikes:
            before(target)
        try:
            await real(self, name, detach_keys=detach_keys)
        finally:
            if strikes:
                after(target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ContainersApi, "start", start)
        yield


def nothing(_target: str) -> None:
    pass


def read_known(host: EngineHost, target: str, notices: list[str]) -> bytes:
    options = DebugOptions(target=target)
    request = SessionRequest(host.endpoint, options)
    with (
        open_engine(host.endpoint) as engine,
        open_helper_access(engine, request, resolve_remote(engine, options, ""), NoticesOnly(notices.append)) as access,
    ):
        return access.read_file("/known")


@pytest.mark.parametrize("unheard", [True, False], ids=["unheard of", "heard of"])
def test_one_that_has_ended_is_entered_as_what_doesnt_run(host: EngineHost, unheard: bool):
    name, notices = host.run("over"), list[str]()
    with striking(host.kill if unheard else host.kill_and_wait, nothing, name, times=1):
        assert read_known(host, name, notices) == KNOWN
    assert any(line.startswith(f"{name} ended while it was entered") for line in notices), notices
    assert any("in a container that stands in for it" in line for line in notices), notices
    assert host.left(name) == ""


def test_one_that_runs_again_is_entered_where_it_runs(host: EngineHost):
    name, notices = host.run("again"), list[str]()
    with striking(host.kill_and_wait, lambda name: host.docker("start", name), name, times=1):
        assert read_known(host, name, notices) == KNOWN
    assert [line.partition(";")[0] for line in notices] == [f"{name} ended while it was entered"]
    assert host.left(name) == ""


def test_one_that_ends_each_time_is_given_up(host: EngineHost):
    name, notices = host.run("fickle"), list[str]()
    with (
        striking(host.kill_and_wait, lambda name: host.docker("start", name), name, times=100),
        pytest.raises(Conflict) as caught,
    ):
        read_known(host, name, notices)
    assert caught.value.reference == ENDED
    assert "--hold" in caught.value.hint
    assert len(notices) == MAX_ATTEMPTS - 1
    assert host.left(name) == ""


def test_one_that_is_removed_is_gone(host: EngineHost):
    name = host.run("gone")
    with (
        striking(lambda name: host.docker("rm", "-f", name), nothing, name, times=1),
        pytest.raises(NotFound),
    ):
        read_known(host, name, [])


@pytest.mark.parametrize("host", ["Docker", "pydd", "Podman"], indirect=True)
def test_a_command_is_run_in_what_it_is_by_then(host: EngineHost, capfd: pytest.CaptureFixture[str]):
    name = host.run("command")
    options = DebugOptions(target=name, line="cat /known; exit 7")
    request = SessionRequest(host.endpoint, options)
    supervisor = Supervisor()
    try:
        with striking(host.kill, nothing, name, times=1), open_engine(host.endpoint) as engine:
            target = resolve_remote(engine, options, "")
            code = helper.run(engine, request, target, supervisor, NoticesOnly(lambda _: None))
    finally:
        supervisor.close()
    assert (code, capfd.readouterr().out) == (7, KNOWN.decode())
    assert host.left(name) == ""
