"""A recorder that is killed, and comes back: it records what happened meanwhile, loses nothing and repeats nothing."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.docker import Docker
from support.dockerd import Dockerd
from support.recording import once_it_listens, recorded_death, recorder, written
from support.stages import NONE, SMALL, make_stage_image
from support.staging import wait_until


@pytest.fixture(scope="module")
def docker() -> Iterator[Docker]:
    """An engine of its own: engines remember 256 events, and tests on the same one cause as many in between."""
    with Dockerd() as engine, engine.corner() as corner:
        yield corner


@pytest.fixture(scope="module")
def stage_image(docker: Docker, programs: dict[str, Path]) -> str:
    return make_stage_image(docker, programs)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.mark.timeout(900)  # on a busy machine
def test_killed_at_any_moment_it_has_what_it_told_and_records_what_it_missed(
    docker: Docker, stage_image: str, history: Path
) -> None:
    with recorder(history, docker.host) as first:
        once_it_listens(docker, stage_image, history, "warm")
        seen = docker.run("seen", stage_image, "sh", "-c", "exit 6", options=NONE)
        recorded_death(first, seen)
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert [death.code for death in written(history, seen)] == [6], "what was emitted had been written"
    lost = docker.run("lost", stage_image, "/hog", options=("--rm", *SMALL))
    polite = docker.run("polite", stage_image, "/sleeper", options=NONE)
    docker("stop", polite)
    wait_until(lambda: lost not in docker("ps", "-a", "--format", "{{.Names}}").split())
    with recorder(history, docker.host) as second:
        wait_until(lambda: len(written(history, lost)) == len(written(history, polite)) == 1)
        late = docker.run("late", stage_image, "sh", "-c", "exit 6", options=NONE)
        recorded_death(second, late)
        second.send_signal(signal.SIGTERM)
        assert second.wait() == 0
    assert written(history, lost)[0].code == 137, "also of one that is gone"
    assert written(history, polite)[0].verdict.cause == "stopped"
    assert [len(written(history, name)) for name in (seen, lost, polite, late)] == [1, 1, 1, 1], "each once"


def test_two_at_once_for_one_engine_are_refused(docker: Docker, stage_image: str, history: Path) -> None:
    with recorder(history, docker.host) as first:
        once_it_listens(docker, stage_image, history, "only")
        with recorder(history, docker.host) as second:
            assert second.wait() != 0
        assert first.poll() is None
