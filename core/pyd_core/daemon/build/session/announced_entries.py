"""Entries of a directory as a hostile client announces them."""

from __future__ import annotations

import contextlib
import os
import stat

from pyd_core.buildkit.proto.fsutil_stat_pb2 import Stat
from pyd_core.daemon.build.interfaces import SyncedEntry
from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe

MAX_PATH_BYTES = 4095
MAX_NAME_BYTES = 255
MAX_XATTRS = 64
MAX_XATTR_BYTES = 1 << 16
MAX_DEVICE = 1 << 20


def check_path(path: str) -> None:
    """Refuse a path that can't be that of a file below the directory.

    Raises:
        InvalidInput: It is absolute, has `..`, or is too long.
    """
    parts = path.split("/")
    if (
        "\0" in path
        or len(path.encode()) > MAX_PATH_BYTES
        or any(part in {"", ".", ".."} or len(part.encode()) > MAX_NAME_BYTES for part in parts)
    ):
        raise InvalidInput(f"the client announces a file with an invalid path: {safe(path[:200])!r}")


def announced_entry(announced: Stat, mode: int, *, digest: str = "") -> SyncedEntry:
    """Return the entry that a client announces.

    Raises:
        InvalidInput: No directory can hold it.
    """
    linkname = announced.linkname
    if "\0" in linkname or len(linkname.encode()) > MAX_PATH_BYTES or (stat.S_ISLNK(mode) and not linkname):
        raise InvalidInput(f"the client announces {safe(announced.path[:200])!r} with an invalid link")
    if announced.size < 0 or not (0 <= announced.devmajor < MAX_DEVICE and 0 <= announced.devminor < MAX_DEVICE):
        raise InvalidInput(f"the client announces {safe(announced.path[:200])!r} with an invalid size or device")
    xattrs = {
        name: value
        for name, value in announced.xattrs.items()
        if name.startswith("user.") or name == "security.capability"
    }
    if len(xattrs) > MAX_XATTRS or any(len(name) + len(value) > MAX_XATTR_BYTES for name, value in xattrs.items()):
        raise InvalidInput(f"the client announces {safe(announced.path[:200])!r} with too many extended attributes")
    return SyncedEntry(
        mode=mode,
        uid=announced.uid,
        gid=announced.gid,
        size=announced.size if stat.S_ISREG(mode) else 0,
        mtime_ns=announced.modTime,
        linkname=linkname,
        devmajor=announced.devmajor,
        devminor=announced.devminor,
        xattrs=xattrs,
        digest=digest,
    )


def is_same(entry: SyncedEntry, before: SyncedEntry) -> bool:
    """Return whether an announced entry is the one that the directory has, so that its content needn't travel."""
    return (
        entry.mode == before.mode
        and entry.mtime_ns == before.mtime_ns
        and entry.size == before.size
        and entry.uid == before.uid
        and entry.gid == before.gid
        and entry.linkname == before.linkname
        and entry.devmajor == before.devmajor
        and entry.devminor == before.devminor
        and entry.xattrs == before.xattrs
    )


def set_xattrs(target: int | str, entry: SyncedEntry) -> None:
    """Set the extended attributes of an entry on a file, as far as the file system has them."""
    for name, value in entry.xattrs.items():
        with contextlib.suppress(OSError):  # as for BuildKit: not every file system has them
            os.setxattr(target, name, value)
