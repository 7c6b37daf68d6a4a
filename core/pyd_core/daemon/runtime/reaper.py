"""Reaper of orphans: processes that become the engine's children and that nothing waits for.

A runtime that is killed or fails leaves helpers behind, and a killed conmon its container's process. In a container's
pid namespace, a zombie even prevents the first process from exiting, and so the container.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import deque
from pathlib import Path

from pyd_core.daemon.runtime import subprocesses
from pyd_core.linux.reaper import exit_code, is_dead

CHECK_INTERVAL_S = 0.1
"""Time between two checks. A process that is dead at both, and that nothing waits for, is reaped."""
MAX_EXIT_CODES = 256
"""Number of exit codes kept for late queries, such as for a command that ended before its pid was known."""


class OrphanReaper:
    """Reaper that checks only after the kernel signals the end of a child (SIGCHLD)."""

    def __init__(self) -> None:
        self._dead: set[int] = set()
        self._codes: deque[tuple[int, int]] = deque(maxlen=MAX_EXIT_CODES)
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Start to listen for signals."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGCHLD, self._schedule)
        self._schedule()

    def end(self) -> None:
        """Stop listening."""
        asyncio.get_running_loop().remove_signal_handler(signal.SIGCHLD)
        if self._timer is not None:
            self._timer.cancel()

    def code(self, pid: int) -> int | None:
        """Reap an ended child and return its exit code, even if it was reaped before; None if it still runs."""
        code = exit_code(pid)
        if code is not None:
            return code
        for entry in reversed(self._codes):
            if entry[0] == pid:
                self._codes.remove(entry)
                return entry[1]
        return None

    def _schedule(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(CHECK_INTERVAL_S, self._reap)

    def _reap(self) -> None:
        self._timer = None
        dead = (
            {pid for pid in _children() if pid not in subprocesses.awaited and is_dead(pid)}
            if _has_dead_child()
            else set()
        )
        for pid in dead & self._dead:
            code = exit_code(pid)
            if code is not None:
                self._codes.append((pid, code))
        self._dead = dead - self._dead
        if self._dead:
            self._schedule()


def _has_dead_child() -> bool:
    """Return whether any child has ended and not been reaped; a single call for all of them."""
    try:
        return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return False


def _children() -> list[int]:
    """Return the children of this thread, which orphans become; other threads wait for their own."""
    try:
        return [int(pid) for pid in Path("/proc/thread-self/children").read_text().split()]
    except FileNotFoundError:  # a kernel without CONFIG_PROC_CHILDREN: zombies remain
        return []
