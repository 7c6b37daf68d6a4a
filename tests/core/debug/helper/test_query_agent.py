from __future__ import annotations

import errno
import socket
import subprocess
import sys

from pyd_core.debug.helper.access import query_command


def test_the_program_runs_without_pyd_installed():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        command = query_command("connect", "127.0.0.1", str(unused.getsockname()[1]))
        process = subprocess.run(
            [sys.executable, *command[1:]], stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    assert int.from_bytes(process.stdout, "big") == errno.ECONNREFUSED, process.stderr
