"""Fixtures of the end-to-end tests: the installed `pyd`, and terminals to run it in."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.debugging import ready_toolbox
from support.docker import Docker
from support.missing import missing
from support.pyd import Run
from support.terminal import Opener, Terminal


@pytest.fixture(scope="session")
def pyd() -> Path:
    """The `pyd` command of the environment the tests run in."""
    return Path(sys.executable).with_name("pyd")


@pytest.fixture(scope="session")
def toolbox() -> Path:
    """The base toolbox."""
    return ready_toolbox()


@pytest.fixture
def run(pyd: Path, docker: Docker) -> Run:
    """Run `pyd` against the tests' engine."""
    return Run(pyd, docker.host)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Opener]:
    """Open programs in real terminals, with settings and memory of their own."""
    own = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_STATE_HOME": str(tmp_path / "state")}
    if shutil.which("tmux") is None:
        missing("tmux")
    with ExitStack() as opened:

        def start(
            argv: Sequence[str | os.PathLike[str]],
            size: tuple[int, int] = (120, 40),
            env: Mapping[str, str] | None = None,
        ) -> Terminal:
            return opened.enter_context(Terminal(argv, size, {**own, **(env or {})}))

        yield start
