"""System calls that Python has no names for, as the processes of a session make them; the standard library alone.

The kernel's interfaces: openat2(2), close_range(2), prctl(2), capset(2), setns(2), keyctl(2), bpf(2).
"""

from __future__ import annotations

import ctypes
import os
import struct

TYPE_CHECKING = False  # as type checkers know it; nothing here takes what `typing` takes to load
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

libc = ctypes.CDLL(None, use_errno=True)

# Calls newer than the C libraries met; numbers are the same on x86_64 and aarch64 (all came after 5.1).
_CLOSE_RANGE, _OPENAT2 = 436, 437
_GETCWD, _KEYCTL, _BPF, _IOPRIO_GET, _IOPRIO_SET = (
    (17, 219, 280, 31, 30) if os.uname().machine == "aarch64" else (79, 250, 321, 252, 251)
)

RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_IN_ROOT = 0x01, 0x02, 0x04, 0x10
AT_FDCWD = -100
LAST_DESCRIPTOR = 0xFFFFFFFF

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_SET_NAME, PR_CAPBSET_DROP = 1, 4, 8, 15, 24
PR_SET_SECCOMP, PR_SET_TIMERSLACK, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 22, 29, 36, 38, 47

_KEYCTL_JOIN_SESSION_KEYRING = 1
_PATH_BYTES = 4096


class CallFailed(Exception):
    """A system call failed: its name, the error number, and what it was about."""

    def __init__(self, call: str, number: int, subject: str = "") -> None:
        super().__init__(f"{call} {subject}: {os.strerror(number)}")
        self.call, self.number, self.subject = call, number, subject


def checked(call: str, result: int, subject: str = "") -> int:
    """Return a call's result; raise `CallFailed` where it is negative."""
    if result < 0:
        raise CallFailed(call, ctypes.get_errno(), subject)
    return result


def syscall(call: str, number: int, *arguments: int | bytes | None, subject: str = "") -> int:
    """Make a system call by its number."""
    words = [ctypes.c_long(word) if isinstance(word, int) else ctypes.c_char_p(word) for word in arguments]
    return checked(call, libc.syscall(ctypes.c_long(number), *words), subject)


def prctl(option: int, value: int, second: int = 0) -> int:
    """Change an attribute of this process (prctl(2))."""
    words = [ctypes.c_ulong(word) for word in (value, second, 0, 0)]
    return checked("prctl", libc.prctl(option, *words), str(option))


def set_capabilities(effective: int, permitted: int, inheritable: int) -> None:
    """Set the capability sets of this thread (capset(2))."""
    header = struct.pack("Ii", 0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this thread
    low = [word & 0xFFFFFFFF for word in (effective, permitted, inheritable)]
    high = [word >> 32 for word in (effective, permitted, inheritable)]
    checked("capset", libc.capset(header, struct.pack("6I", *low, *high)))


def open_beneath(directory: int, path: str, flags: int, resolve: int) -> int:
    """Open a path with openat2(2), which keeps to the rules of `resolve` on the way."""
    how = struct.pack("QQQ", flags | os.O_CLOEXEC, 0, resolve)
    return syscall("openat2", _OPENAT2, directory, os.fsencode(path), how, len(how), subject=path)


def close_all_but(kept: Iterable[int], *, first: int = 3) -> None:
    """Close every descriptor from `first` on but these."""
    edge = first
    for descriptor in [*sorted(descriptor for descriptor in set(kept) if descriptor >= first), LAST_DESCRIPTOR]:
        if descriptor > edge:
            syscall("close_range", _CLOSE_RANGE, edge, descriptor - 1, 0)
        edge = descriptor + 1


def reaches_root() -> bool:
    """Return whether the working directory lies below this process's root; getcwd(2) checks it, chdir(2) doesn't."""
    answer = ctypes.create_string_buffer(_PATH_BYTES)
    return int(libc.syscall(ctypes.c_long(_GETCWD), answer, ctypes.c_long(_PATH_BYTES))) > 0 and answer.raw[:1] == b"/"


def join_new_keyring() -> None:
    """Give this process an anonymous session keyring of its own, in place of its caller's (keyrings(7))."""
    syscall("keyctl", _KEYCTL, _KEYCTL_JOIN_SESSION_KEYRING, None, subject="session keyring")


def io_priority(pid: int) -> int:
    """Return the I/O priority of a process (ioprio_get(2))."""
    return syscall("ioprio_get", _IOPRIO_GET, 1, pid)


def set_io_priority(priority: int) -> None:
    """Set the I/O priority of this process."""
    syscall("ioprio_set", _IOPRIO_SET, 1, 0, priority)


def bpf(command: int, attributes: Any) -> int:
    """Ask something of the kernel about its programs (bpf(2)); `attributes` is a buffer that it may write."""
    result = libc.syscall(ctypes.c_long(_BPF), ctypes.c_long(command), attributes, ctypes.c_long(len(attributes)))
    return checked("bpf", int(result), str(command))


def forget_start() -> None:
    """Overwrite this process's command line and environment, as /proc shows them to others; its children have none."""
    os.environ.clear()
    libc.clearenv()
    with open("/proc/self/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    arguments, arguments_end, environment, environment_end = map(int, fields[45:49])
    for start, end in ((arguments, arguments_end), (environment, environment_end)):
        if 0 < start < end:
            ctypes.memset(start, 0, end - start)
