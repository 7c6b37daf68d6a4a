"""Opening of paths inside an untrusted directory, so that no link leads out of it: openat2(2)."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
from collections import deque
from types import TracebackType
from typing import Self

from pyd_core.errors import KernelError

_SYS_OPENAT2 = 437
_NO_MAGICLINKS = 0x02
_NO_SYMLINKS = 0x04
_BENEATH = 0x08
_IN_ROOT = 0x10

PATH_MAX = 4096
"""Bytes of a path that the kernel takes at once, its final NUL included (limits.h)."""
_MAX_DETOURS = 255
"""Links and `..` that are resolved in one long path."""

_libc = ctypes.CDLL(None, use_errno=True)


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_in_root(root: int, path: str | bytes, flags: int, mode: int = 0) -> int:
    """Open a path as if the directory `root` were the file system's root.

    Absolute links and `..` stay inside; magic links of /proc are refused. A path may be longer than the kernel takes.

    Raises:
        KernelError: openat2 failed; `errno` says how.
    """
    name = os.fsencode(path).lstrip(b"/") or b"."
    if len(name) >= PATH_MAX:
        return _LongPath(root, name).open(flags | (os.O_DIRECTORY if name.endswith(b"/") else 0), mode)
    return _openat2(root, name, flags, mode, _IN_ROOT | _NO_MAGICLINKS)


def open_beneath(directory: int, path: str | bytes, flags: int) -> int:
    """Open a path that has to lie below a directory; links may lead anywhere in it, by relative paths.

    Raises:
        KernelError: openat2 failed; `EXDEV` where the path leads out.
    """
    return _openat2(directory, os.fsencode(path), flags, 0, _BENEATH | _NO_MAGICLINKS)


def _openat2(directory: int, name: bytes, flags: int, mode: int, resolve: int) -> int:
    how = _How(flags | os.O_CLOEXEC, mode, resolve)
    while True:
        fd: int = _libc.syscall(_SYS_OPENAT2, directory, ctypes.c_char_p(name), ctypes.byref(how), ctypes.sizeof(how))
        if fd >= 0:
            return fd
        number = ctypes.get_errno()
        if number in {errno.EINTR, errno.EAGAIN}:  # EAGAIN when a rename raced with the look-up
            continue
        raise KernelError("openat2", number, os.fsdecode(name[:PATH_MAX]))


class _LongPath:
    """A path that the kernel doesn't take at once.

    It is resolved here: as many parts at a time as fit and are no links, each time from the directory reached so far.
    Links and `..` are replaced by the path that they mean, which is then followed from its start.
    """

    def __init__(self, root: int, name: bytes) -> None:
        self._root = root
        self._name = name
        self._remaining = deque(_parts(name))
        self._reached: list[bytes] = []
        self._directory = os.dup(root)
        self._detours = 0
        self._width = PATH_MAX
        """How many parts are opened at a time at most; fewer while a link is looked for."""

    def open(self, flags: int, mode: int) -> int:
        """Open what the path names.

        Raises:
            KernelError: As of openat2, or there are too many links.
        """
        try:
            fd = -1
            while fd < 0:
                if self._remaining and self._remaining[0] == b"..":
                    self._remaining.popleft()
                    self._follow([*self._reached[:-1]], absolute=True)
                else:
                    fd = self._step(self._next_parts(), flags, mode)
            return fd
        finally:
            os.close(self._directory)

    def _next_parts(self) -> bytes:
        piece: list[bytes] = []
        size = 0
        while self._remaining and len(piece) < self._width and self._remaining[0] != b"..":
            size += len(self._remaining[0]) + 1
            if size >= PATH_MAX and piece:
                break
            piece.append(self._remaining.popleft())
        return b"/".join(piece) or b"."

    def _step(self, piece: bytes, flags: int, mode: int) -> int:
        """Open the next parts; return a descriptor of the last ones, -1 where there are more."""
        last = not self._remaining
        how, mode = (flags, mode) if last else (os.O_PATH | os.O_DIRECTORY, 0)
        try:
            fd = _openat2(self._directory, piece, how, mode, _BENEATH | _NO_SYMLINKS | _NO_MAGICLINKS)
        except KernelError as error:
            parts = piece.split(b"/")
            if error.errno != errno.ELOOP or (len(parts) == 1 and last and flags & os.O_NOFOLLOW):
                raise
            if len(parts) > 1:  # a link is somewhere in it
                self._remaining.extendleft(reversed(parts))
                self._width = len(parts) // 2
            else:
                link = os.readlink(piece, dir_fd=self._directory)
                self._follow(_parts(link), absolute=link.startswith(b"/"))
            return -1
        if last:
            return fd
        os.close(self._directory)
        self._directory = fd
        self._reached += piece.split(b"/")
        self._width *= 2
        return -1

    def _follow(self, parts: list[bytes], *, absolute: bool) -> None:
        """Continue with other parts before the rest."""
        self._detours += 1
        if self._detours > _MAX_DETOURS:
            raise KernelError("openat2", errno.ELOOP, os.fsdecode(self._name[:PATH_MAX]))
        self._remaining.extendleft(reversed(parts))
        if absolute:
            os.close(self._directory)
            self._directory = os.dup(self._root)
            self._reached = []


def _parts(path: bytes) -> list[bytes]:
    return [part for part in path.split(b"/") if part not in {b"", b"."}]


def make_mountpoint(root: int, path: str, *, directory: bool) -> int:
    """Open a mount point, created with its parents if it is missing; never outside the root.

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


def reopen(fd: int, flags: int) -> int:
    """Open what an `O_PATH` descriptor holds, for reading or writing; look at its type before.

    Raises:
        OSError: It can't be opened so.
    """
    return os.open(f"/proc/self/fd/{fd}", flags | os.O_CLOEXEC)


def open_file(root: int, path: str) -> int:
    """Open a regular file for reading; nothing else is ever opened, as a pipe could block and a device act.

    Raises:
        KernelError: openat2 failed, or with EINVAL: it is no regular file (EISDIR for a directory).
    """
    handle = open_in_root(root, path, os.O_PATH)
    try:
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode):
            raise KernelError("open", errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL, path)
        return reopen(handle, os.O_RDONLY | os.O_NOCTTY)
    finally:
        os.close(handle)


def read_in_root(root: int, path: str, max_bytes: int) -> bytes:
    """Return the beginning of a regular file; nothing when there is none."""
    try:
        file = open_file(root, path)
    except (KernelError, OSError):
        return b""
    try:
        return os.read(file, max_bytes)
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
        """Open a path inside."""
        return open_in_root(self.fd, path, flags, mode)

    def make_directories(
        self, path: str, mode: int = 0o755, *, owner: tuple[int, int] | None = None, through_links: bool = False
    ) -> int:
        """Make a directory and its missing parents, and return a descriptor of it.

        Args:
            path: The directory's path.
            mode: The mode of each new directory.
            owner: The user and group of each new directory; None keeps this process's.
            through_links: Whether to make the missing targets of links too, inside the root.

        Raises:
            KernelError: Something that is no directory is in the way.
        """
        for _ in range(_MAX_DETOURS):
            result = self._make_directories(path, mode, owner, through_links=through_links)
            if isinstance(result, int):
                return result
            path = result
        raise KernelError("mkdir", errno.ELOOP, path[:PATH_MAX])

    def _make_directories(
        self, path: str, mode: int, owner: tuple[int, int] | None, *, through_links: bool
    ) -> int | str:
        """Make the directories, or return the path to continue with if a link without a target is in the way."""
        flags = os.O_PATH | os.O_DIRECTORY
        missing: list[str] = []
        above = path.rstrip("/")
        fd = -1
        while fd < 0:
            try:
                fd = self.open(above or "/", flags)
            except KernelError as error:
                if error.errno != errno.ENOENT or not above:
                    raise
                above, _, name = above.rpartition("/")
                if name not in {"", ".", ".."}:
                    missing.append(name)
        while missing:
            name = missing.pop()
            try:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, mode, dir_fd=fd)
                    if owner is not None:
                        os.chown(name, *owner, dir_fd=fd, follow_symlinks=False)
                inside = os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
            except NotADirectoryError:
                link = _link_target(fd, name) if through_links else ""
                if not link:
                    raise KernelError("mkdir", errno.ENOTDIR, path[:PATH_MAX]) from None
                return "/".join([*([] if link.startswith("/") else [above]), link, *reversed(missing)])
            finally:
                os.close(fd)
            fd = inside
            above += f"/{name}"
        return fd


def _link_target(directory: int, name: str) -> str:
    """Return a link's target; empty if the file is no link."""
    try:
        return os.readlink(name, dir_fd=directory)
    except OSError:
        return ""
