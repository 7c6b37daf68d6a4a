"""Fixtures of the attacks: each engine, with hostile images, and a file of the host that must stay out of reach."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.attacks import Lab, Marker, compile_programs
from support.debugging import ready_toolbox
from support.docker import Docker
from support.missing import missing
from support.podman import Podman
from support.pydd import Pydd


@pytest.fixture(scope="session", autouse=True)
def toolbox() -> Path:
    """The base toolbox."""
    return ready_toolbox()


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The attack programs by name."""
    return compile_programs(tmp_path_factory.mktemp("attacks"))


@pytest.fixture(scope="session")
def docker_lab(docker: Docker, programs: dict[str, Path]) -> Lab:
    """Docker Engine."""
    return Lab("docker", docker, programs)


@pytest.fixture(scope="session")
def podman_lab(programs: dict[str, Path]) -> Iterator[Lab]:
    """Podman, with a store of its own."""
    if shutil.which("podman") is None:
        missing("podman")
    with Podman(storage="overlay") as service, service.corner() as corner:
        yield Lab("podman", corner, programs)


@pytest.fixture(scope="session")
def pydd_lab(programs: dict[str, Path]) -> Iterator[Lab]:
    """The embedded engine, on directories of its own."""
    with Pydd.started() as engine, Docker(host=engine.host) as corner:
        yield Lab("pydd", corner, programs)


@pytest.fixture(params=["docker", "podman", "pydd"])
def lab(request: pytest.FixtureRequest) -> Lab:
    """Each engine in turn."""
    selected: Lab = request.getfixturevalue(f"{request.param}_lab")
    return selected


@pytest.fixture
def marker() -> Iterator[Marker]:
    """A file of the host, in a directory that everybody may enter."""
    with tempfile.TemporaryDirectory(prefix="pyd-attack-", dir="/tmp") as directory:
        Path(directory).chmod(0o755)
        yield Marker(Path(directory) / "marker")
