"""Containers that end with their engine: a second one, stopped or killed, and started again."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from pyd_core.model.base import parse_time
from support.docker import Docker
from support.dockerd import Dockerd
from support.pydd import Pydd
from support.recording import once_it_listens, recorder, written
from support.staged import ask
from support.stages import NONE, STAGES, WAIT_LOOP, check, make_stage_image, stage
from support.staging import TERM, Stage, logged, wait_until


@pytest.fixture(scope="module")
def dockerd(docker: Docker) -> Iterator[Dockerd]:
    with Dockerd() as engine:
        yield engine


@pytest.fixture(scope="module")
def image(dockerd: Dockerd, programs: dict[str, Path]) -> str:
    return make_stage_image(dockerd.corner(), programs)


REMEMBERED = ("stop", "stop-with-kill", "stop-timeout", "kill", "kill-term", "kill-9-outside", "oom-child-then-stop")


@pytest.mark.parametrize("this", [this for this in STAGES if this.short in REMEMBERED], ids=lambda this: this.short)
def test_asked_afterwards_an_engine_remembers_enough(dockerd: Dockerd, image: str, this: Stage) -> None:
    corner = dockerd.corner()
    name = stage(corner, image, this)
    check(ask(corner.host, name), this.cause, this.also)
    corner("rm", name)


def test_what_ended_with_the_engine_is_told_from_what_was_stopped_before(
    dockerd: Dockerd, image: str, tmp_path: Path
) -> None:
    corner, history = dockerd.corner(), tmp_path / "history.db"
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
    # The engine's memory of it is gone; its records of exited containers must do when it is back.
    wait_until(lambda: {"engine-restart"} == {death.verdict.cause for death in written(history, polite)})
    assert len(written(history, before)) == 1


def test_what_an_engine_that_was_killed_ends_when_it_is_back(dockerd: Dockerd, image: str) -> None:
    corner = dockerd.corner()
    polite = corner.run("abandoned", image, "/sleeper", options=NONE)
    deaf = corner.run("abandoned-deaf", image, "sleep", "60", options=(*NONE, "--stop-timeout", "1"))
    done = corner.run("done", image, "sh", "-c", "exit 3", options=NONE)
    corner("wait", done)
    # An engine killed before it has written an end down takes the container for one of those it ended itself.
    written_down = dockerd.home / "data" / "containers" / corner.inspect(done)["Id"] / "config.v2.json"
    wait_until(lambda: json.loads(written_down.read_text())["State"]["FinishedAt"][:4] != "0001")
    dockerd.stop(signal.SIGKILL)
    dockerd.start()

    def ended(name: str) -> bool:
        return not corner.inspect(name)["State"]["Running"]

    for name in (polite, deaf):
        wait_until(partial(ended, name))
        check(ask(corner.host, name), "engine-restart")
    check(ask(corner.host, done), "app-error")


def test_what_outlives_the_embedded_engine_ends_for_its_own_reasons(programs: dict[str, Path]) -> None:
    with Pydd.started() as engine, Docker(host=engine.host) as corner:
        image = make_stage_image(corner, programs)
        alone = corner.run("alone", image, "sh", "-c", f"trap 'exit 3' TERM; {WAIT_LOOP}", options=NONE)
        polite = corner.run("polite", image, "sh", "-c", f"trap 'exit 0' TERM; {WAIT_LOOP}", options=NONE)
        for name in (alone, polite):
            logged("ready")(corner, name)
        reported = corner.inspect(alone)
        engine.kill()
        os.kill(reported["State"]["Pid"], TERM)
        wait_until((engine.config.run / "exits" / reported["Id"]).exists)
        back_ns = time.time_ns()
        engine.start()
        corner("stop", polite)
        verdict = ask(corner.host, alone)
        check(verdict, "app-error")
        assert (parse_time(verdict.ended or "") or 0) <= back_ns, "when it ended, not when that was seen"
        check(ask(corner.host, polite), "stopped")
