"""A recorder that is killed, and comes back: what happened meanwhile is recorded, and nothing is lost or told twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pyd_core.fleet.history_store import Death, HistoryReader
from support.docker import Docker
from support.staging import wait_until

NONE = ("--network", "none")
SMALL = (*NONE, "-m", "20m", "--memory-swap", "20m")


@contextmanager
def recorder(history: Path, host: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "pyd_tui", "record", "--json"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "DOCKER_HOST": host, "PYD_HISTORY": str(history)},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def told(process: subprocess.Popen[str], name: str) -> Death:
    """Reads on until it tells of that container's death."""
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["name"] == name:
            return json.loads(line)  # type: ignore[no-any-return]
    raise AssertionError("it ended")


def written(history: Path, name: str) -> list[Death]:
    reader = HistoryReader(history)
    try:
        return reader.deaths(name)
    finally:
        reader.close()


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


def once_it_listens(docker: Docker, image: str, history: Path, short: str) -> str:
    """Lets containers die until one is told of."""
    names: list[str] = []

    def dies() -> bool:
        names.append(docker.run(short, image, "sh", "-c", "exit 6", options=NONE))
        docker("wait", names[-1])
        return history.exists() and any(written(history, name) for name in names[:-1])

    wait_until(dies, 60)
    return names[0]


def test_killed_at_any_moment_it_has_what_it_told_and_records_what_it_missed(
    docker: Docker, stage_image: str, history: Path
) -> None:
    with recorder(history, docker.host) as first:
        once_it_listens(docker, stage_image, history, "warm")
        seen = docker.run("seen", stage_image, "sh", "-c", "exit 6", options=NONE)
        told(first, seen)
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert [death.code for death in written(history, seen)] == [6], "what was told had been written"
    lost = docker.run("lost", stage_image, "/hog", options=("--rm", *SMALL))
    polite = docker.run("polite", stage_image, "/sleeper", options=NONE)
    docker("stop", polite)
    wait_until(lambda: lost not in docker("ps", "-a", "--format", "{{.Names}}").split())
    with recorder(history, docker.host) as second:
        wait_until(lambda: len(written(history, lost)) == len(written(history, polite)) == 1, 60)
        late = docker.run("late", stage_image, "sh", "-c", "exit 6", options=NONE)
        told(second, late)
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
