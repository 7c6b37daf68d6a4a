"""Making and changing namespaces, and paths that stay inside a root, as the C library has no Python names for them.

Numbers are those of x86_64 and aarch64; see unshare(2), setns(2), pivot_root(2), umount(2), openat2(2).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import platform
import signal
import socket
import stat
import struct

_libc = ctypes.CDLL(None, use_errno=True)

_OPENAT2 = 437
_PIVOT_ROOT = {"aarch64": 41}.get(platform.machine(), 155)
_RESOLVE_NO_MAGICLINKS, _RESOLVE_IN_ROOT = 0x02, 0x10
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
    """Gives this process namespaces of its own; of a new pid namespace, the next child is the first process."""
    _check("unshare", _libc.unshare(kinds), f"{kinds:#x}")


def join(namespace: int, kind: int = 0) -> None:
    """Enters the namespace of a descriptor."""
    _check("setns", _libc.setns(namespace, kind))


def set_domain(name: str) -> None:
    """Sets the NIS domain name of this UTS namespace."""
    data = os.fsencode(name)
    _check("setdomainname", _libc.setdomainname(data, len(data)))


def raise_loopback() -> None:
    """Brings `lo` up in this network namespace (netdevice(7))."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as control:
        request = bytearray(struct.pack("16sH14x", b"lo", 0))
        fcntl.ioctl(control, _SIOCGIFFLAGS, request)
        flags = struct.unpack_from("H", request, 16)[0]
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | _IFF_UP))


def become_root(directory: int) -> None:
    """Makes a mount's root the root of this mount namespace and lets go of everything there was before."""
    os.fchdir(directory)
    _check("pivot_root", _libc.syscall(ctypes.c_long(_PIVOT_ROOT), b".", b"."))
    _check("umount2", _libc.umount2(b".", _MNT_DETACH))
    os.chdir("/")


def open_in_root(root: int, path: str, flags: int = os.O_PATH) -> int:
    """Opens a path as a process with that root would: no symlink or `..` leads out of it, and no /proc link anywhere.

    Args:
        root: A directory's descriptor.
        path: Relative to it; a leading slash is the root.
        flags: As for open(2); `O_CLOEXEC` is added.
    """
    how = struct.pack("QQQ", flags | os.O_CLOEXEC, 0, _RESOLVE_IN_ROOT | _RESOLVE_NO_MAGICLINKS)
    words = (ctypes.c_long(_OPENAT2), ctypes.c_int(root), ctypes.c_char_p(os.fsencode(path)), how, ctypes.c_size_t(24))
    return _check("openat2", _libc.syscall(*words), path)


def make_mountpoint(root: int, path: str, *, directory: bool) -> int:
    """Opens what a mount goes on, made with its parents where it isn't there; never outside the root."""
    with contextlib.suppress(FileNotFoundError):
        return open_in_root(root, path)
    parts = [part for part in path.split("/") if part]
    for count in range(1, len(parts) + 1):
        prefix = "/".join(parts[:count])
        try:
            os.close(open_in_root(root, prefix))
        except FileNotFoundError:
            parent = open_in_root(root, "/".join(parts[: count - 1]) or ".", os.O_PATH | os.O_DIRECTORY)
            try:
                if count < len(parts) or directory:
                    os.mkdir(parts[count - 1], 0o755, dir_fd=parent)
                else:
                    os.mknod(parts[count - 1], stat.S_IFREG | 0o644, dir_fd=parent)
            finally:
                os.close(parent)
    return open_in_root(root, path)


def read_in_root(root: int, path: str, most: int) -> bytes:
    """Returns the beginning of a regular file; nothing when there is none."""
    try:
        file = open_in_root(root, path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES, errno.ENXIO):
            return b""
        raise
    try:
        return os.read(file, most) if stat.S_ISREG(os.fstat(file).st_mode) else b""
    finally:
        os.close(file)
