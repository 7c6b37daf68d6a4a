"""Giving running sessions a new toolbox: `python -I -m pyd_core.debug.toolbox.refresh TOOLBOX PID...`.

The toolbox is attached where the session has its old one, in the session's own mount namespace, which no other
process sees. Running programs continue with the old one below. A separate process does it, because it leaves this
machine's mounts.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys

from pyd_core.debug.toolbox import PREFIX
from pyd_core.linux.interpreter import module_command


def session_pids() -> list[int]:
    """Return a process of each session that this one has started, by their mount namespaces."""
    own = os.stat("/proc/self/ns/mnt").st_ino
    pids: dict[int, int] = {}
    waiting = [os.getpid()]
    while waiting:
        pid = waiting.pop()
        with contextlib.suppress(OSError):
            namespace = os.stat(f"/proc/{pid}/ns/mnt").st_ino
            if namespace != own and os.path.isdir(f"/proc/{pid}/root{PREFIX}/bin"):
                pids.setdefault(namespace, pid)
        for task in _names(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{task}/children") as children:
                waiting += map(int, children.read().split())
    return sorted(pids.values())


def _names(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []


def refresh_sessions(toolbox: str) -> int:
    """Attach a toolbox in all sessions of this process, and return how many there are."""
    pids = session_pids()
    if pids:
        command = module_command("pyd_core.debug.toolbox.refresh", toolbox, *map(str, pids))
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return len(pids)


def _attach(toolbox: str, pid: int) -> None:
    from pyd_core.debug.view import attach, open_directory, open_toolbox  # noqa: PLC0415 - the client has no use for ctypes
    from pyd_core.linux.namespaces import NEW_NS, join  # noqa: PLC0415

    namespace = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    root = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    tree = open_toolbox(toolbox)
    join(namespace, NEW_NS)
    os.fchdir(root)
    os.chroot(".")
    mountpoint = open_directory(PREFIX)
    if mountpoint >= 0:
        attach(tree, mountpoint, "")


def main(toolbox: str, pids: list[int]) -> None:
    """Attach a toolbox in the mount namespaces of processes, one process of its own each."""
    fcntl.flock(os.open(toolbox, os.O_RDONLY | os.O_DIRECTORY), fcntl.LOCK_SH)
    for pid in pids:
        child = os.fork()
        if child == 0:
            try:
                _attach(toolbox, pid)
            finally:
                os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(sys.argv[1], list(map(int, sys.argv[2:])))
