"""Processes that fall to the engine and that nobody asks about: taken away, so that none stays as a dead one.

A runtime that is killed or fails in the middle leaves helpers, a conmon that is killed its container's process. A dead
one in a container's pid namespace even keeps the first process there from ending, and the container with it.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import deque
from pathlib import Path

from pyd_core.daemon.runtime import subprocesses
from pyd_core.linux.reaper import exit_code, is_dead

PAUSE = 0.1
"""Seconds between two looks. What is dead at both, and not a program somebody waits for, is taken away."""
REMEMBERED = 256
"""Exit codes that are kept for who asks late, as a command that ended before it was known by its pid."""


class Orphans:
    """Takes them away when the kernel tells that a child ended (SIGCHLD); nothing is looked at otherwise."""

    def __init__(self) -> None:
        self._dead: set[int] = set()
        self._codes: deque[tuple[int, int]] = deque(maxlen=REMEMBERED)
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Begins to listen."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGCHLD, self._soon)
        self._soon()

    def end(self) -> None:
        """Listens no longer."""
        asyncio.get_running_loop().remove_signal_handler(signal.SIGCHLD)
        if self._timer is not None:
            self._timer.cancel()

    def code(self, pid: int) -> int | None:
        """Takes an ended child away and returns its exit code, also where that was done before; None if it runs."""
        found = exit_code(pid)
        if found is not None:
            return found
        for each in reversed(self._codes):
            if each[0] == pid:
                self._codes.remove(each)
                return each[1]
        return None

    def _soon(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PAUSE, self._look)

    def _look(self) -> None:
        self._timer = None
        dead = {pid for pid in _children() if pid not in subprocesses.awaited and is_dead(pid)} if _any() else set()
        for pid in dead & self._dead:
            code = exit_code(pid)
            if code is not None:
                self._codes.append((pid, code))
        self._dead = dead - self._dead
        if self._dead:
            self._soon()


def _any() -> bool:
    """Whether any child has ended and not been taken away; one call, where all are looked after."""
    try:
        return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return False


def _children() -> list[int]:
    """The children of this thread, to which orphans fall; what other threads start they wait for themselves."""
    try:
        return [int(pid) for pid in Path("/proc/thread-self/children").read_text().split()]
    except FileNotFoundError:  # a kernel without CONFIG_PROC_CHILDREN: they stay, as dead as they are
        return []
