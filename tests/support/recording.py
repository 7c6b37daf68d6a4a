"""A recorder as its users run it, and what it has written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyd_core.watch.history_store import Death, HistoryReader
from support.docker import Docker
from support.stages import NONE
from support.staging import wait_until


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


def recorded_death(process: subprocess.Popen[str], name: str) -> dict[str, Any]:
    """Return the recorder's entry for a container's death."""
    assert process.stdout is not None
    for line in process.stdout:
        death: dict[str, Any] = json.loads(line)
        if death["name"] == name:
            return death
    raise AssertionError("it ended")


def written(history: Path, name: str) -> list[Death]:
    reader = HistoryReader(history)
    try:
        return reader.deaths(name)
    finally:
        reader.close()


def once_it_listens(docker: Docker, image: str, history: Path, short: str) -> str:
    """Run containers that die until one is recorded."""
    names: list[str] = []

    def dies() -> bool:
        names.append(docker.run(short, image, "sh", "-c", "exit 6", options=NONE))
        docker("wait", names[-1])
        return history.exists() and any(written(history, name) for name in names[:-1])

    wait_until(dies)
    return names[0]
