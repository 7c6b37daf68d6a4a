"""Writing a file inside somebody else's root, whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat

from pyd_core.errors import KernelError
from pyd_core.linux.openat2 import open_in_root

MOST_LINKS = 40
"""As the kernel: ELOOP after that."""


def write_whole(root: int, path: str, data: bytes, *, mode: int | None, owner: tuple[int, int]) -> None:
    """Writes a file beside its name and renames it there.

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
    folder, name = _follow(root, path)
    try:
        old = _regular(folder, name)
        if old is not None:
            owner = old.st_uid, old.st_gid
        bits = mode if mode is not None else (stat.S_IMODE(old.st_mode) if old is not None else 0o644)
        beside = f".pyd-{secrets.token_hex(8)}"
        file = os.open(
            beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder
        )
        try:
            try:
                _write(file, data)
                os.fchown(file, *owner)
                os.fchmod(file, bits)  # after the owner: changing that drops set-id bits
            finally:
                os.close(file)
            os.rename(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(beside, dir_fd=folder)
            if error.errno != errno.EBUSY:  # /etc/hosts and its like: a mount is on the name
                raise
            _overwrite(folder, name, data)
    finally:
        os.close(folder)


def _follow(root: int, path: str) -> tuple[int, str]:
    """Returns the directory that holds a path's file, and its name there, links as the last part followed."""
    for _ in range(MOST_LINKS):
        above, _, name = path.rstrip("/").rpartition("/")
        if name in ("", ".", ".."):
            raise KernelError("open", errno.EISDIR, path)
        folder = open_in_root(root, above or "/", os.O_PATH | os.O_DIRECTORY)
        try:
            target = os.readlink(name, dir_fd=folder)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOENT):  # no link, or nothing yet
                return folder, name
            os.close(folder)
            raise
        os.close(folder)
        path = target if target.startswith("/") else f"{above}/{target}"
    raise KernelError("open", errno.ELOOP, path)


def _regular(folder: int, name: str) -> os.stat_result | None:
    try:
        facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(facts.st_mode):
        raise KernelError("open", errno.EISDIR if stat.S_ISDIR(facts.st_mode) else errno.EINVAL, name)
    return facts


def _overwrite(folder: int, name: str, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    file = os.open(name, flags, dir_fd=folder)
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
