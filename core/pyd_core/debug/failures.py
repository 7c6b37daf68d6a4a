"""Errors with a next step, made from the join's reports."""

from __future__ import annotations

import errno
import os

from pyd_core.errors import Conflict, KernelError, NotFound, PydError, Refused, Unsupported
from pyd_core.sanitise import safe

COMMAND_NOT_FOUND = "command-not-found"
COMMAND_NOT_EXECUTABLE = "command-not-executable"

_MOUNT_CALLS = frozenset({"open_tree", "move_mount", "fsopen", "fsmount", "mount_setattr"})


def failure(call: str, number: int, subject: str, *, target: str) -> PydError:
    """Return the error for a call that failed in the join.

    Args:
        call: The system call, or the name of a Python exception.
        number: The error number; 0 if there is none.
        subject: The object of the call.
        target: The container's name, safe to show.
    """
    shown = safe(subject)
    if call == "execve":
        return _not_run(shown, number, target)
    if number == errno.ESRCH:
        return Conflict(f"{target} has just ended", hint=f"see how: pyd inspect {target}", reference="not-running")
    if number in (errno.EPERM, errno.EACCES):
        return Refused(
            f"the kernel refused {call} {shown}: not permitted",
            hint="run pyd debug as root; inside a container it needs --privileged and the host's pid namespace",
        )
    if number == errno.ENOSYS or (call in _MOUNT_CALLS and number == errno.EINVAL):
        return Unsupported(f"this kernel has no {call} as pyd needs it", hint="Linux 5.12 or newer is needed")
    if number == 0:
        return PydError(f"joining {target} failed: {call}: {shown}", reference="join-failed")
    return KernelError(call, number, shown)


def describe_not_applied(subject: str, number: int) -> str:
    """Return the line for a confinement of the target that a session `--as target` couldn't adopt.

    Args:
        subject: The confinement.
        number: The error number that the kernel gave.
    """
    why = {
        errno.EACCES: "a filter on pyd itself, or a lack of CAP_SYS_ADMIN, keeps it from being read",
        errno.EPERM: "another program traces its main process, or it may not be traced",
        errno.EBUSY: "it is paused",
        errno.EIO: "this kernel doesn't report it (CONFIG_CHECKPOINT_RESTORE)",
    }
    return f"not taken over: {safe(subject)}: {why.get(number) or os.strerror(number)}"


def describe_no_directory(path: str, number: int, *, target: str) -> str:
    """Return the line for a session whose working directory can't be the target's.

    Args:
        path: The target's.
        number: The error number that the kernel gave.
        target: The container's name, safe to show.
    """
    return f"{target}'s working directory {safe(path)} can't be entered ({os.strerror(number)}); this one is /"


def _not_run(program: str, number: int, target: str) -> PydError:
    if number == errno.ENOENT:
        return NotFound(
            f"{program}: no such command in {target} or the toolbox",
            hint="the container's commands and the toolbox's are on PATH",
            reference=COMMAND_NOT_FOUND,
        )
    return Refused(
        f"{program} can't be executed: {os.strerror(number)}",
        hint="is it a program, and one for this machine? Those for another take an emulator: qemu-user-binfmt"
        if number == errno.ENOEXEC
        else "is it a program, and may this user run it?",
        reference=COMMAND_NOT_EXECUTABLE,
    )
