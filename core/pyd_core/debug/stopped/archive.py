"""A session's changes as a tar: for the engine's archive API, or as an image layer."""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import AsyncIterator, Iterable
from typing import IO

from pyd_core.debug.stopped.changes import DELETED, ChangedPath
from pyd_core.linux.openat2 import open_in_root
from pyd_core.tar.whiteouts import whiteout_name

CHUNK = 1 << 18

_SPECIAL = {stat.S_IFLNK: tarfile.SYMTYPE, stat.S_IFDIR: tarfile.DIRTYPE, stat.S_IFIFO: tarfile.FIFOTYPE}


def write_archive(changes: Iterable[ChangedPath], upper: int, out: IO[bytes], *, whiteouts: bool) -> None:
    """Write the changed paths.

    Args:
        changes: The changes to write.
        upper: Descriptor of the directory that has them.
        out: The file to write to.
        whiteouts: Whether to write deletions too, as image layers do.
    """
    seen: dict[tuple[int, int], str] = {}
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for change in changes:
            if change.kind != DELETED:
                _add(tar, change.path.lstrip("/"), upper, seen)
            elif whiteouts:
                add_whiteout(tar, change.path)
    out.truncate(out.seek(tar.offset))  # no padding: see `Containers.archive_put`


def add_whiteout(tar: tarfile.TarFile, path: str) -> None:
    """Add the entry that deletes a path."""
    directory, _, name = path.lstrip("/").rpartition("/")
    tar.addfile(tarfile.TarInfo(f"{directory}/{whiteout_name(name)}".lstrip("/")))


def _add(tar: tarfile.TarFile, path: str, upper: int, seen: dict[tuple[int, int], str]) -> None:
    # By a descriptor of the file itself: nothing in the path is followed, and it stays the same file.
    where = open_in_root(upper, path, os.O_PATH | os.O_NOFOLLOW)
    try:
        facts = os.fstat(where)
        entry = tarfile.TarInfo(path)
        entry.mode, entry.uid, entry.gid = stat.S_IMODE(facts.st_mode), facts.st_uid, facts.st_gid
        entry.mtime = facts.st_mtime
        kind = stat.S_IFMT(facts.st_mode)
        if kind in _SPECIAL:
            entry.type = _SPECIAL[kind]
            entry.linkname = os.readlink("", dir_fd=where) if kind == stat.S_IFLNK else ""
            entry.pax_headers = _attributes(where) if kind == stat.S_IFDIR else {}
            tar.addfile(entry)
        elif kind == stat.S_IFREG:
            key = (facts.st_dev, facts.st_ino)
            if key in seen:
                entry.type, entry.linkname = tarfile.LNKTYPE, seen[key]
                tar.addfile(entry)
                return
            seen[key] = path
            entry.size = facts.st_size
            entry.pax_headers = _attributes(where)
            with open(f"/proc/self/fd/{where}", "rb") as file:
                tar.addfile(entry, file)
    finally:
        os.close(where)


def _attributes(where: int) -> dict[str, str]:
    """The extended attributes (file capabilities, for one) as tar carries them; not those of the overlay's own."""
    path = f"/proc/self/fd/{where}"
    names = [name for name in os.listxattr(path) if not name.startswith("trusted.")]
    return {f"SCHILY.xattr.{name}": os.getxattr(path, name).decode(errors="surrogateescape") for name in names}


async def chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    """Read a file from its beginning, as the engine's client takes it."""
    file.seek(0)
    while chunk := file.read(CHUNK):
        yield chunk
