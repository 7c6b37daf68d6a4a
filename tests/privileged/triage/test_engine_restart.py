"""Containers that end with their engine: a second one, stopped and started again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.docker import Docker
from support.dockerd import Dockerd
from support.staged import ask
from support.stages import NONE, check, make_stage_image


@pytest.fixture(scope="module")
def dockerd(docker: Docker) -> Iterator[Dockerd]:
    with Dockerd() as engine:
        yield engine


def test_what_ended_with_the_engine_is_told_from_what_was_stopped_before(
    dockerd: Dockerd, programs: dict[str, Path]
) -> None:
    corner = dockerd.corner()
    image = make_stage_image(corner, programs)
    polite = corner.run("polite", image, "/sleeper", options=NONE)
    deaf = corner.run("deaf", image, "sleep", "60", options=(*NONE, "--stop-timeout", "1"))
    before = corner.run("before", image, "/sleeper", options=NONE)
    corner("stop", before)
    dockerd.stop()
    dockerd.start()
    check(ask(corner.host, polite), "engine-restart")
    check(ask(corner.host, deaf), "engine-restart")
    assert ask(corner.host, before).cause == "stopped"
