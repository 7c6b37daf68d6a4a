"""An image that holds every staged death, and a way to ask for verdicts."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyd_core.client.engine_choice import choose_endpoint
from pyd_core.client.transport.blocking import blocking_engine, run_now
from pyd_core.triage.api import explain
from pyd_core.triage.verdict import Verdict
from support.docker import Docker
from support.missing import missing
from support.podman import Podman
from support.pydd import Pydd
from support.stages import make_stage_image
from support.staging import loader_files, make_programs
from support.triage_engine import House


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_programs(tmp_path_factory.mktemp("programs"))


@pytest.fixture(scope="session")
def stage_image(docker: Docker, programs: dict[str, Path]) -> str:
    return make_stage_image(docker, programs)


@pytest.fixture(scope="session")
def podman() -> Iterator[Docker]:
    if shutil.which("podman") is None:
        missing("podman")
    with Podman() as service, service.corner() as corner:
        yield corner


@pytest.fixture(scope="session")
def podman_image(podman: Docker, programs: dict[str, Path]) -> str:
    return make_stage_image(podman, programs)


@pytest.fixture(scope="session")
def pydd() -> Iterator[Docker]:
    with Pydd.started() as engine, Docker(host=engine.host) as corner:
        yield corner


@pytest.fixture(scope="session")
def pydd_image(pydd: Docker, programs: dict[str, Path]) -> str:
    return make_stage_image(pydd, programs)


@pytest.fixture(scope="session", params=["docker", "podman", "pydd"])
def house(request: pytest.FixtureRequest, programs: dict[str, Path]) -> House:
    kind = request.param
    corner: Docker = request.getfixturevalue(kind)
    image = request.getfixturevalue("stage_image" if kind == "docker" else f"{kind}_image")
    dynamic = corner.image("dynamic", loader_files(programs["dynamic"]), 'CMD ["/dynamic"]')
    return House(kind, corner, image, dynamic)


class Table:
    """Stages and their verdicts, printed at the end."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, Verdict]] = []

    def __str__(self) -> str:
        head = f"{'engine':<8}{'staged':<26}{'cause':<24}{'sure':<6}contributing"
        rows = [
            f"{engine:<8}{short:<26}{verdict.cause:<24}{verdict.confidence:<6.2f}{', '.join(verdict.contributing)}"
            for engine, short, verdict in self.rows
        ]
        return "\n".join(["", head, *rows])


@pytest.fixture(scope="session")
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    created = Table()
    yield created
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(created)  # noqa: T201 - for those who run the suite


@pytest.fixture(scope="session")
def judge() -> Iterator[Callable[[str], Verdict]]:
    engine = blocking_engine(choose_endpoint(host="unix:///var/run/docker.sock"))
    yield lambda name: run_now(explain(engine, name))
    run_now(engine.aclose())
