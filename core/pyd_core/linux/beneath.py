"""Opening paths inside a directory that somebody else filled, so that no link in it leads out: openat2(2)."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from types import TracebackType
from typing import Self

from pyd_core.errors import KernelError

_SYS_OPENAT2 = 437
_NO_MAGICLINKS = 0x02
_IN_ROOT = 0x10

_libc = ctypes.CDLL(None, use_errno=True)


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_in_root(root: int, path: str | bytes, flags: int, mode: int = 0) -> int:
    """Opens a path as if the directory `root` were the file system's root.

    Absolute links and `..` stay inside; magic links of /proc are refused.

    Raises:
        KernelError: openat2 failed; `errno` says how.
    """
    how = _How(flags | os.O_CLOEXEC, mode, _IN_ROOT | _NO_MAGICLINKS)
    name = os.fsencode(path).lstrip(b"/") or b"."
    while True:
        fd: int = _libc.syscall(_SYS_OPENAT2, root, ctypes.c_char_p(name), ctypes.byref(how), ctypes.sizeof(how))
        if fd >= 0:
            return fd
        number = ctypes.get_errno()
        if number in {errno.EINTR, errno.EAGAIN}:  # EAGAIN when a rename raced with the look-up
            continue
        raise KernelError("openat2", number, os.fsdecode(path))


def make_mountpoint(root: int, path: str, *, directory: bool) -> int:
    """Opens what a mount goes on, made with its parents where it isn't there; never outside the root.

    Raises:
        KernelError: A link that leads nowhere, or a file, is in the way.
        OSError: It can't be made.
    """
    try:
        return open_in_root(root, path, os.O_PATH)
    except KernelError as error:
        if error.errno != errno.ENOENT:
            raise
    parts = [part for part in path.split("/") if part]
    for count in range(1, len(parts) + 1):
        prefix = "/".join(parts[:count])
        try:
            os.close(open_in_root(root, prefix, os.O_PATH))
        except KernelError as error:
            if error.errno != errno.ENOENT:
                raise
            parent = open_in_root(root, "/".join(parts[: count - 1]), os.O_PATH | os.O_DIRECTORY)
            try:
                if count < len(parts) or directory:
                    os.mkdir(parts[count - 1], 0o755, dir_fd=parent)
                else:
                    os.mknod(parts[count - 1], stat.S_IFREG | 0o644, dir_fd=parent)
            finally:
                os.close(parent)
    return open_in_root(root, path, os.O_PATH)


def open_file(root: int, path: str) -> int:
    """Opens a regular file for reading; nothing else is ever opened, as a pipe could block and a device act.

    Raises:
        KernelError: openat2 failed, or with EINVAL: it is no regular file (EISDIR for a directory).
    """
    place = open_in_root(root, path, os.O_PATH)
    try:
        mode = os.fstat(place).st_mode
        if not stat.S_ISREG(mode):
            raise KernelError("open", errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL, path)
        return os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(place)


def read_in_root(root: int, path: str, most: int) -> bytes:
    """Returns the beginning of a regular file; nothing when there is none."""
    try:
        file = open_file(root, path)
    except (KernelError, OSError):
        return b""
    try:
        return os.read(file, most)
    finally:
        os.close(file)


class RootDirectory:
    """A directory that paths are resolved inside of; a context manager that closes it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.fd = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        os.close(self.fd)

    def open(self, path: str | bytes, flags: int, mode: int = 0) -> int:
        """Opens a path inside."""
        return open_in_root(self.fd, path, flags, mode)

    def make_directories(self, path: str, mode: int = 0o755) -> int:
        """Makes a directory and those above it where they are missing, and returns a descriptor of it.

        Raises:
            KernelError: Something that is no directory is in the way.
        """
        flags = os.O_PATH | os.O_DIRECTORY
        try:
            return self.open(path, flags)
        except KernelError as error:
            if error.errno != errno.ENOENT:
                raise
        parent, _, name = path.rstrip("/").rpartition("/")
        if name in {"", ".", ".."}:
            return self.make_directories(parent, mode) if parent else self.open("/", flags)
        above = self.make_directories(parent, mode) if parent.strip("/") else self.open("/", flags)
        try:
            try:
                os.mkdir(name, mode, dir_fd=above)
            except FileExistsError:
                raise KernelError("mkdir", errno.ENOTDIR, path) from None
            return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
        finally:
            os.close(above)
