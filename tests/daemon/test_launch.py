"""The engine starts on demand and ends when nothing needs it."""

from __future__ import annotations

import os
import select
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyd_core.daemon import launch
from pyd_core.daemon.config import DaemonConfig
from pyd_core.errors import EngineUnavailable
from support.pydd import Pydd


@pytest.fixture
def home(pydd: Pydd) -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="pydd-"))
    yield made
    shutil.rmtree(made)


def peer(config: DaemonConfig) -> int:
    """The pid of the engine on the socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(config.socket_path))
        return int.from_bytes(client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)[:4], "little")


def wait_for_end(pid: int) -> None:
    fd = os.pidfd_open(pid)
    readable, _, _ = select.select([fd], [], [], 30)
    os.close(fd)
    assert readable


def test_it_starts_once_and_ends_when_idle(home: Path):
    config = DaemonConfig(root=home / "root", run=home / "run")
    launch.ensure(config, idle=0.4)
    first = peer(config)
    launch.ensure(config, idle=0.4)
    assert peer(config) == first
    wait_for_end(first)
    assert not launch.answers(config)
    assert Pydd(home).leftovers() == {}


def test_why_it_does_not_start_is_told(home: Path):
    config = DaemonConfig(root=home / "root", run=home / "run", runtime="/nosuch/runtime")
    with pytest.raises(EngineUnavailable, match="no OCI runtime") as failed:
        launch.ensure(config)
    assert "install" in failed.value.hint
