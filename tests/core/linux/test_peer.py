from __future__ import annotations

import os
import socket
from pathlib import Path

from pyd_core.linux.peer import listener_pid


def test_the_process_that_listens_is_told(tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        assert listener_pid(path) == os.getpid()
    assert listener_pid(path) is None
    assert listener_pid(tmp_path / "none.sock") is None
