"""Paths in a container's root: resolved within it, with their stat data as the API returns it."""

from __future__ import annotations

import base64
import errno
import json
import os
import posixpath
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pyd_core.errors import InvalidInput, KernelError, NotFound
from pyd_core.linux.openat2 import RootDirectory
from pyd_core.model.base import format_time

_GO_MODES = (
    (stat.S_ISDIR, 1 << 31),
    (stat.S_ISLNK, 1 << 27),
    (stat.S_ISBLK, 1 << 26),
    (stat.S_ISFIFO, 1 << 25),
    (stat.S_ISSOCK, 1 << 24),
    (stat.S_ISCHR, 1 << 26 | 1 << 21),
)
"""Bits of Go's `os.FileMode`, which the API's path statistics use."""


@contextmanager
def open_path(
    root: RootDirectory, path: str, whose: str, *, follow: bool = False
) -> Iterator[tuple[str, os.stat_result, str]]:
    """Open a path: its directory is resolved inside the root; a link at its end is followed only if it ends in `/`.

    Args:
        root: The container's root.
        path: The path in it.
        whose: The container's name as the client wrote it.
        follow: Whether a link at the end is always followed.

    Yields:
        A path through a descriptor, its status, and its name: `.` for a path that ends in a dot, so that its archive
        has a directory's contents without the directory.

    Raises:
        NotFound: There is nothing.
        InvalidInput: The links form a loop, or a part of the path is no directory.
    """
    clean = posixpath.normpath("/" + path)
    last = path.rstrip("/").rpartition("/")[2]
    directory = path.endswith("/") or last == "."
    follow = follow or directory
    flags = os.O_PATH | (0 if follow else os.O_NOFOLLOW) | (os.O_DIRECTORY if directory else 0)
    try:
        if follow or clean == "/":
            fd = root.open(clean, flags)
        else:
            parent = root.open(posixpath.dirname(clean), os.O_PATH | os.O_DIRECTORY)
            try:
                fd = os.open(posixpath.basename(clean), flags | os.O_CLOEXEC, dir_fd=parent)
            finally:
                os.close(parent)
    except (KernelError, OSError) as error:
        if error.errno == errno.ENOENT:
            raise NotFound(f"Could not find the file {path} in container {whose}") from error
        if error.errno in {errno.ENOTDIR, errno.ENAMETOOLONG}:
            raise InvalidInput(f"lstat {path}: {os.strerror(error.errno).lower()}") from error
        if error.errno == errno.ELOOP:
            raise InvalidInput(f"too many links: {path}") from error
        raise
    try:
        name = "." if last == "." else posixpath.basename(clean) or "/"
        yield f"/proc/self/fd/{fd}", os.fstat(fd), name
    finally:
        os.close(fd)


def link_target(root: RootDirectory, path: str) -> str:
    """Return a link's final target as a path in the root, which need not exist."""
    clean = posixpath.normpath("/" + path)
    with ExitStack() as held:
        try:
            fd = root.open(clean, os.O_PATH)
        except KernelError:
            pass
        else:
            held.callback(os.close, fd)
            return _inside(root, fd)
        try:
            parent = root.open(posixpath.dirname(clean), os.O_PATH | os.O_DIRECTORY)
            held.callback(os.close, parent)
            link = os.readlink(posixpath.basename(clean), dir_fd=parent)
        except (KernelError, OSError):
            return ""  # gone meanwhile
        return posixpath.normpath(posixpath.join(_inside(root, parent), link))


def _inside(root: RootDirectory, fd: int) -> str:
    """Return the path of a descriptor in the root."""
    whole, top = (str(Path(f"/proc/self/fd/{descriptor}").readlink()).rstrip("/") for descriptor in (fd, root.fd))
    return whole[len(top) :] or "/" if f"{whole}/".startswith(f"{top}/") else "/"


def statistics(root: RootDirectory, path: str, status: os.stat_result, name: str) -> str:
    """Return the header with a path's stat data: base64 of a JSON text."""
    mode = stat.S_IMODE(status.st_mode) & 0o777
    mode |= sum(bits for test, bits in _GO_MODES if test(status.st_mode))
    mode |= (1 << 23 if status.st_mode & stat.S_ISUID else 0) | (1 << 22 if status.st_mode & stat.S_ISGID else 0)
    mode |= 1 << 20 if status.st_mode & stat.S_ISVTX else 0
    link = link_target(root, path) if stat.S_ISLNK(status.st_mode) else ""
    fields = {
        "name": name,
        "size": status.st_size,
        "mode": mode,
        "mtime": format_time(status.st_mtime_ns),
        "linkTarget": link,
    }
    return base64.b64encode(json.dumps(fields).encode()).decode()
