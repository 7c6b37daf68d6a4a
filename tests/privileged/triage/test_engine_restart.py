"""Containers that end with their engine: a second one, stopped and started again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.docker import Docker
from support.dockerd import Dockerd
from support.recording import once_it_listens, recorder, written
from support.staged import ask
from support.stages import NONE, check, make_stage_image
from support.staging import wait_until


@pytest.fixture(scope="module")
def dockerd(docker: Docker) -> Iterator[Dockerd]:
    with Dockerd() as engine:
        yield engine


def test_what_ended_with_the_engine_is_told_from_what_was_stopped_before(
    dockerd: Dockerd, programs: dict[str, Path], tmp_path: Path
) -> None:
    corner, history = dockerd.corner(), tmp_path / "history.db"
    image = make_stage_image(corner, programs)
    with recorder(history, corner.host):
        once_it_listens(corner, image, history, "warm")
        _restart(dockerd, corner, image, history)


def _restart(dockerd: Dockerd, corner: Docker, image: str, history: Path) -> None:
    polite = corner.run("polite", image, "/sleeper", options=NONE)
    deaf = corner.run("deaf", image, "sleep", "60", options=(*NONE, "--stop-timeout", "1"))
    before = corner.run("before", image, "/sleeper", options=NONE)
    corner("stop", before)
    dockerd.stop()
    dockerd.start()
    check(ask(corner.host, polite), "engine-restart")
    check(ask(corner.host, deaf), "engine-restart")
    assert ask(corner.host, before).cause == "stopped"
    # The engine's memory of it is gone; what it says of the dead when it is back has to do.
    wait_until(lambda: {"engine-restart"} == {death.verdict.cause for death in written(history, polite)})
    assert len(written(history, before)) == 1
