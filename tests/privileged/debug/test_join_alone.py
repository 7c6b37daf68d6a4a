"""The join as a helper container runs it: the bare interpreter, nothing of pyd importable, the plan over a socket."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from pyd_core.debug import join
from pyd_core.debug.sessions.credentials import DEBUGGER
from pyd_core.linux.process import ProcessEntry
from support.debugging import main_pid
from support.docker import Docker

CORE = str(Path(join.__file__).parents[2])
BOOT = (
    f"import socket, sys; sys.path.append({CORE!r}); from pyd_core.debug.join import serve; serve(socket.socket(fileno="
)


def test_the_file_alone_joins_a_container(docker: Docker, locked: str, toolbox: Path):
    pid = main_pid(docker, locked)
    with ProcessEntry(pid) as entry:
        start = entry.start
    masks = dict.fromkeys(("bounding", "permitted", "effective"), DEBUGGER)
    plan = {
        "client": os.getpid(),
        "pid": pid,
        "start": start,
        "toolbox": str(toolbox),
        "prefix": "/dev/.pyd",
        "writable": False,
        "groups": [],
        "terminal": None,
        "credentials": {
            "uid": 0,
            "gid": 0,
            "groups": [],
            "inheritable": 0,
            "ambient": 0,
            "no_new_privileges": False,
            **masks,
        },
        "cwd": "/",
        "env": {"PATH": "/dev/.pyd/bin"},
        "argv": ["bash", "-c", "ls /app; exit 6"],
    }
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        with (
            theirs,
            subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", f"{BOOT}{theirs.fileno()}))"],
                pass_fds=(theirs.fileno(),),
                stdout=subprocess.PIPE,
                text=True,
            ) as process,
        ):
            theirs.close()
            ours.send(json.dumps(plan).encode())
            messages = list(iter(lambda: ours.recv(65536), b""))
            assert process.stdout is not None
            assert process.stdout.read() == "/app\n"
        assert messages == [f"exit\0{6 << 8}".encode()]
        assert process.returncode == 0


def test_a_recycled_pid_is_not_entered(docker: Docker, locked: str):
    pid = main_pid(docker, locked)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        child = os.fork()
        if child == 0:
            ours.close()
            join.serve(theirs)
        theirs.close()
        ours.send(json.dumps({"client": os.getpid(), "pid": pid, "start": 1}).encode())
        message = ours.recv(65536)
        os.waitpid(child, 0)
    assert message.split(b"\0")[:3] == [b"error", b"open", b"3"]
