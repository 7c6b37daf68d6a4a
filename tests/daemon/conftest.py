"""The docker client against a pydd of the test run, next to any other engine of the machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.docker import Docker, busybox_files
from support.pydd import Pydd


@pytest.fixture(scope="session")
def pydd() -> Iterator[Pydd]:
    """The engine; all it made must be gone after."""
    with Pydd.started() as engine:
        yield engine


@pytest.fixture(scope="session")
def docker(pydd: Pydd) -> Iterator[Docker]:
    """The docker CLI against this engine."""
    with Docker(host=pydd.host) as corner:
        yield corner


@pytest.fixture(scope="session")
def busybox(docker: Docker) -> str:
    """The image of the same name, made here: another suite of the run may have made its own on Docker Engine."""
    return docker.image("busybox", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))


@pytest.fixture(scope="module", params=["docker", "pydd"])
def both(request: pytest.FixtureRequest) -> Iterator[Docker]:
    """The docker CLI against Docker Engine, then against this one: the same test for each."""
    host = "unix:///var/run/docker.sock"
    if request.param == "pydd":
        engine: Pydd = request.getfixturevalue("pydd")
        host = engine.host
    with Docker(host=host) as corner:
        yield corner
