"""Making and changing namespaces, as the C library has no Python names for that.

Numbers are those of x86_64 and aarch64; see unshare(2), setns(2), pivot_root(2), umount(2).
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import signal
import socket
import struct

_libc = ctypes.CDLL(None, use_errno=True)

_PIVOT_ROOT = {"aarch64": 41}.get(platform.machine(), 155)
_MNT_DETACH = 2
_PR_SET_PDEATHSIG = 1

NEW_NS, NEW_CGROUP, NEW_UTS = 0x00020000, 0x02000000, 0x04000000
NEW_IPC, NEW_PID, NEW_NET = 0x08000000, 0x20000000, 0x40000000

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1


def _check(call: str, result: int, subject: str = "") -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), f"{call} {subject}".strip())
    return result


def die_with_parent() -> None:
    """Has the kernel kill this process when its parent ends; a change of user takes that back (prctl(2))."""
    _check("prctl", _libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL)))


def unshare(kinds: int) -> None:
    """Give this process namespaces of its own; of a new pid namespace, the next child is the first process."""
    _check("unshare", _libc.unshare(kinds), f"{kinds:#x}")


def join(namespace: int, kind: int = 0) -> None:
    """Enter the namespace of a descriptor."""
    _check("setns", _libc.setns(namespace, kind))


def set_domain(name: str) -> None:
    """Set the NIS domain name of this UTS namespace."""
    data = os.fsencode(name)
    _check("setdomainname", _libc.setdomainname(data, len(data)))


def raise_loopback() -> None:
    """Bring `lo` up in this network namespace (netdevice(7))."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as control:
        request = bytearray(struct.pack("16sH14x", b"lo", 0))
        fcntl.ioctl(control, _SIOCGIFFLAGS, request)
        flags = struct.unpack_from("H", request, 16)[0]
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | _IFF_UP))


def become_root(directory: int) -> None:
    """Make a mount's root the root of this mount namespace and let go of everything there was before."""
    os.fchdir(directory)
    _check("pivot_root", _libc.syscall(ctypes.c_long(_PIVOT_ROOT), b".", b"."))
    _check("umount2", _libc.umount2(b".", _MNT_DETACH))
    os.chdir("/")
