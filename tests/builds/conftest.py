"""Builds by the real clients on a pydd of the run, and on Docker Engine's BuildKit for comparison."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from support.docker import Docker, busybox_files
from support.missing import missing
from support.pydd import Pydd

USERS = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:app:/home/app:/bin/sh\n"
GROUPS = "root:x:0:\napps:x:1001:\nstaff:x:50:app\n"


@functools.cache
def _has_buildx() -> bool:
    command = ["docker", "buildx", "version"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def require_buildx() -> None:
    """Skip the test without docker's client of BuildKit."""
    if not _has_buildx():
        missing("docker-buildx")


@dataclass(frozen=True)
class Builders:
    """Two engines with the same base images."""

    pydd: Docker
    docker: Docker
    base: str
    """A base with busybox, users and groups; its name is the same on both."""

    def __iter__(self) -> Iterator[Docker]:
        return iter((self.docker, self.pydd))


@pytest.fixture(scope="session")
def pydd() -> Iterator[Pydd]:
    """An engine of the run."""
    with Pydd.started() as engine:
        yield engine


@pytest.fixture(scope="session")
def builders(pydd: Pydd) -> Iterator[Builders]:
    """Return the engine of the run and Docker Engine."""
    files = {**busybox_files(), "etc/passwd": USERS, "etc/group": GROUPS, "data/one": "1", "data/sub/two": "2"}
    with Docker() as docker, Docker(host=pydd.host, prefix=docker.prefix) as own:
        for engine in (docker, own):
            base = engine.image(
                "base",
                files,
                'CMD ["/bin/sh"]',
                "ENV PATH=/bin BASE=yes",
                directories=("tmp", "root", "home", "home/app", "data", "data/sub", "etc", "bin"),
                modes={"tmp": 0o1777, "data/one": 0o640},
            )
        yield Builders(own, docker, base)
