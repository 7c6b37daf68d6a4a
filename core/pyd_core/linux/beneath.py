"""Opening paths inside a directory that somebody else filled, so that no link in it leads out: openat2(2)."""

from __future__ import annotations

import ctypes
import os
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
        if number in {4, 11}:  # EINTR, and EAGAIN when a rename raced with the look-up
            continue
        raise KernelError("openat2", number, os.fsdecode(path))


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
            if error.errno != 2:
                raise
        parent, _, name = path.rstrip("/").rpartition("/")
        if name in {"", ".", ".."}:
            return self.make_directories(parent, mode) if parent else self.open("/", flags)
        above = self.make_directories(parent, mode) if parent.strip("/") else self.open("/", flags)
        try:
            try:
                os.mkdir(name, mode, dir_fd=above)
            except FileExistsError:
                raise KernelError("mkdir", 20, path) from None
            return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
        finally:
            os.close(above)
