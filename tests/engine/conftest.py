"""Every test here runs over each engine at hand, with the same assertions."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator

import pytest

from pyd_core.client.connect import open_engine
from pyd_core.client.endpoint import Endpoint
from pyd_core.client.engine_client import EngineClient
from pyd_core.client.transport.blocking import blocking_engine
from support.docker import LONE, Docker, busybox_files
from support.missing import missing
from support.podman import Podman
from support.pydd import Pydd


@pytest.fixture(scope="session")
def podman() -> Iterator[Docker]:
    """A corner of a Podman with a store of its own."""
    if shutil.which("podman") is None or shutil.which("docker") is None:
        missing("podman and the docker CLI")
    with Podman() as service, service.corner() as corner:
        yield corner


@pytest.fixture(scope="session")
def pydd() -> Iterator[Docker]:
    """A corner of an embedded engine of its own."""
    with Pydd.started() as engine, Docker(host=engine.host) as corner:
        yield corner


@pytest.fixture(scope="session", params=["docker", "podman", "pydd"])
def corner(request: pytest.FixtureRequest) -> Docker:
    """A corner of each engine in turn."""
    chosen: Docker = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture(params=["loop", "blocking"])
async def engine(corner: Docker, request: pytest.FixtureRequest) -> AsyncIterator[EngineClient]:
    """A client of it, over each transport for local sockets."""
    opener = open_engine if request.param == "loop" else blocking_engine
    async with opener(Endpoint(url=corner.host)) as client:
        yield client


@pytest.fixture(scope="session")
def shell(corner: Docker) -> str:
    """An image with busybox."""
    return corner.image("shell", busybox_files(), 'CMD ["/bin/sh"]', "ENV COLOUR=blue", directories=("tmp", "etc"))


@pytest.fixture
def running(corner: Docker, shell: str) -> Iterator[str]:
    """A container that runs until the test is over."""
    name = corner.run("running", shell, "sleep", "600", options=LONE)
    yield name
    corner("rm", "-f", name)
