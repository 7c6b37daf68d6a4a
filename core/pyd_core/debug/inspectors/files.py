"""Paths of the target as users write them, and the owners of its files."""

from __future__ import annotations

import posixpath
import stat

from pyd_core.debug.access import Access, DirectoryEntry
from pyd_core.errors import PydError
from pyd_core.passwd import is_id, split_rows

KINDS = {
    stat.S_IFDIR: "directory",
    stat.S_IFREG: "file",
    stat.S_IFLNK: "link",
    stat.S_IFCHR: "character device",
    stat.S_IFBLK: "block device",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
}


def absolute(path: str, cwd: str) -> str:
    """Return a path of the target from one that may be relative to a directory; `..` is left to the kernel."""
    return path if path.startswith("/") else posixpath.join(cwd or "/", path)


def kind_of(entry: DirectoryEntry) -> str:
    """Return the kind of an entry."""
    return KINDS.get(stat.S_IFMT(entry.mode), "other")


def read_names(access: Access, path: str) -> dict[int, str]:
    """Return the names of users or groups by number, from the target's own `/etc/passwd` or `/etc/group`."""
    try:
        text = access.read_file(path, limit=1 << 20).decode(errors="replace")
    except PydError:
        return {}
    return {int(row[2]): row[0] for row in split_rows(text, 3) if is_id(row[2])}
