"""Fixtures of the debug suites: the toolbox, `pyd debug` as users run it, and containers to enter."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pyd_core.debug.toolbox import store
from pyd_debugimages.packs import BASE
from support.debugging import Run, command
from support.docker import Docker
from support.missing import missing


@pytest.fixture(scope="session", autouse=True)
def toolbox() -> Path:
    """The base toolbox, made on the first run on this machine and kept for the next."""
    if os.geteuid() != 0:
        missing("root (run: sudo sh test.sh)")
    root = store.store_root()
    there = store.find(BASE, root)
    return Path(there) if there else store.build(BASE, Path(root), lambda *_: None)


@pytest.fixture(scope="session")
def debug() -> Run:
    """Runs `pyd debug` with these arguments, as a user's script would, and returns what came of it."""

    def run(*arguments: str, stdin: str = "", **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments), input=stdin, capture_output=True, text=True, check=False, timeout=20, **options
        )

    return run


@pytest.fixture(scope="session")
def locked(docker: Docker, distroless: str) -> str:
    """A container that allows as little as can be: one static program, read-only, no user of its own, no rights."""
    options = ("--read-only", "--user", "1000", "--cap-drop", "ALL")
    return docker.run("locked", distroless, options=options)
