"""Adopting orphans: see PR_SET_CHILD_SUBREAPER in prctl(2)."""

from __future__ import annotations

import contextlib
import ctypes
import os

from pyd_core.errors import KernelError

_PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> None:
    """Make this process the parent of its descendants' orphans, so that it learns how they end.

    Raises:
        KernelError: The kernel refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise KernelError("prctl", ctypes.get_errno())


def has_failed(pid: int) -> bool:
    """Whether an ended child, which stays as it is, ended otherwise than by exit code 0."""
    end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return end is None or end.si_code != os.CLD_EXITED or end.si_status != 0


def is_dead(pid: int) -> bool:
    """Whether a child has ended and waits to be taken away."""
    with contextlib.suppress(ChildProcessError):
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return False


def exit_code(pid: int) -> int | None:
    """Take an ended child away and return its exit code, 128 and more for a signal; None if it isn't ours or runs."""
    try:
        ended_pid, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    if ended_pid == 0:
        return None
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code
