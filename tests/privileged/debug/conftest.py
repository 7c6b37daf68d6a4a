"""Fixtures of the debug suites: the toolbox, `pyd debug` as users run it, and containers to enter."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.debugging import Run, command, ready_toolbox
from support.docker import Docker


@pytest.fixture(scope="session", autouse=True)
def toolbox() -> Path:
    """The base toolbox."""
    return ready_toolbox()


@pytest.fixture(scope="session")
def debug() -> Run:
    """Run `pyd debug` with these arguments, as a user's script would, and return what came of it."""

    def run(*arguments: str, stdin: str = "", **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments), input=stdin, capture_output=True, text=True, check=False, timeout=120, **options
        )

    return run


@pytest.fixture(scope="session")
def locked(docker: Docker, distroless: str) -> str:
    """A container that allows as little as can be: one static program, read-only, no user of its own, no rights."""
    options = ("--read-only", "--user", "1000", "--cap-drop", "ALL")
    return docker.run("locked", distroless, options=options)
