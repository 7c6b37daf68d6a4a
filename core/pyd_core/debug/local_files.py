"""Listing of directories and atomic writing of files inside a target's root."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import secrets
import stat

from pyd_core.errors import KernelError
from pyd_core.linux.openat2 import open_in_root

TYPE_CHECKING = False  # as type checkers know it; the query agent has no more than the standard library
if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LINKS = 40
"""As the kernel: ELOOP after that."""
MAX_ENTRIES = 65536
"""Entries of one directory of the target: a hostile one could hold millions."""


def scan(directory: int) -> Iterator[tuple[str, os.stat_result, str]]:
    """Yield the first entries of a directory: name, status, and the target of a link.

    Args:
        directory: Its descriptor, open for reading.
    """
    with os.scandir(directory) as entries:
        for entry in itertools.islice(entries, MAX_ENTRIES):
            try:
                status = entry.stat(follow_symlinks=False)
                target = os.readlink(entry.name, dir_fd=directory) if entry.is_symlink() else ""
            except OSError:
                continue  # removed since it was listed
            yield entry.name, status, target


def write_atomic(root: int, path: str, data: bytes, *, mode: int | None, owner: tuple[int, int]) -> None:
    """Write a temporary file next to a path and rename it there.

    Args:
        root: Descriptor of the directory that paths are resolved in.
        path: A link as its last part is followed inside the root.
        data: The content.
        mode: Permission bits; None keeps those there are, 644 for a new file.
        owner: Ids of this user namespace for a new file; one that is there keeps its own.

    Raises:
        KernelError: The kernel refuses, or a directory or device is in the way.
        OSError: The same.
    """
    directory, name = _follow(root, path)
    try:
        old = _regular(directory, name)
        if old is not None:
            owner = old.st_uid, old.st_gid
        bits = mode if mode is not None else (stat.S_IMODE(old.st_mode) if old is not None else 0o644)
        temporary = f".pyd-{secrets.token_hex(8)}"
        file = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=directory
        )
        try:
            try:
                _write(file, data)
                os.fchown(file, *owner)
                os.fchmod(file, bits)  # after the owner: changing that drops set-id bits
            finally:
                os.close(file)
            os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=directory)
            if error.errno != errno.EBUSY:  # /etc/hosts and its like: a mount is on the name
                raise
            _overwrite(directory, name, data)
    finally:
        os.close(directory)


def _follow(root: int, path: str) -> tuple[int, str]:
    """Return the directory that holds a path's file, and its name there; a link as the last part is followed."""
    for _ in range(MAX_LINKS):
        above, _, name = path.rstrip("/").rpartition("/")
        if name in ("", ".", ".."):
            raise KernelError("open", errno.EISDIR, path)
        directory = open_in_root(root, above or "/", os.O_PATH | os.O_DIRECTORY)
        try:
            target = os.readlink(name, dir_fd=directory)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOENT):  # no link, or nothing yet
                return directory, name
            os.close(directory)
            raise
        os.close(directory)
        path = target if target.startswith("/") else f"{above}/{target}"
    raise KernelError("open", errno.ELOOP, path)


def _regular(directory: int, name: str) -> os.stat_result | None:
    try:
        facts = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(facts.st_mode):
        raise KernelError("open", errno.EISDIR if stat.S_ISDIR(facts.st_mode) else errno.EINVAL, name)
    return facts


def _overwrite(directory: int, name: str, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    file = os.open(name, flags, dir_fd=directory)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise KernelError("open", errno.EINVAL, name)
        os.ftruncate(file, 0)
        _write(file, data)
    finally:
        os.close(file)


def _write(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
