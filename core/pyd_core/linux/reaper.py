"""Adoption of orphans: see PR_SET_CHILD_SUBREAPER in prctl(2)."""

from __future__ import annotations

import contextlib
import ctypes
import os

from pyd_core.errors import KernelError

_PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> None:
    """Make this process the parent of its descendants' orphans, so that it gets their exit status.

    Raises:
        KernelError: The kernel refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise KernelError("prctl", ctypes.get_errno())


def has_failed(pid: int) -> bool:
    """Return whether an ended child, which isn't reaped, failed."""
    end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return end is None or end.si_code != os.CLD_EXITED or end.si_status != 0


def is_dead(pid: int) -> bool:
    """Return whether a child has ended and isn't reaped yet."""
    with contextlib.suppress(ChildProcessError):
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return False


def exit_code(pid: int) -> int | None:
    """Reap a child and return its exit code, 128 and more for a signal; None if it runs or isn't ours."""
    try:
        ended_pid, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    if ended_pid == 0:
        return None
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code
