"""What a session changed: the upper directory of its overlay, compared with the root as it was before."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pyd_core.linux.overlay import is_opaque, is_whiteout

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

ADDED, MODIFIED, DELETED = "A", "C", "D"
"""As `docker diff` writes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A path that is no longer as it was.

    Attributes:
        path: From the root, with a leading slash.
        kind: `A` added, `C` changed, `D` deleted; only the top of a deleted tree is listed.
    """

    path: str
    kind: str


def find_changes(upper: int, before: int, *, made: Collection[str] = ()) -> list[Changed]:
    """Returns what changed, parents before what lies below them.

    A file that was opened for writing and not written is not changed, although the upper directory has a copy of it,
    nor is a directory that merely holds changes.

    Args:
        upper: Descriptor of the overlay's upper directory.
        before: Descriptor of the root without it.
        made: Paths made for mounts before the session began.
    """
    return [change for change in _walk(upper, before, "") if change.path not in made]


def paths_in(directory: int) -> list[str]:
    """Returns every path below a directory, each with a leading slash."""
    return [change.path for change in _walk(directory, None, "")]


def _walk(upper: int, before: int | None, path: str) -> Iterator[Changed]:
    names = sorted(os.listdir(upper))
    for name in names:
        new = os.stat(name, dir_fd=upper, follow_symlinks=False)
        old = _look(name, before)
        where = f"{path}/{name}"
        if is_whiteout(new):
            if old is not None:
                yield Changed(path=where, kind=DELETED)
            continue
        if old is None:
            yield Changed(path=where, kind=ADDED)
        elif _differs(new, old) or (stat.S_ISLNK(new.st_mode) and _link(name, upper) != _link(name, before)):
            yield Changed(path=where, kind=MODIFIED)
        if stat.S_ISDIR(new.st_mode):
            yield from _below(name, upper, before if old is not None and stat.S_ISDIR(old.st_mode) else None, where)
    if before is not None and is_opaque(upper):
        present = set(names)
        for name in sorted(os.listdir(before)):
            if name not in present:
                yield Changed(path=f"{path}/{name}", kind=DELETED)


def _below(name: str, upper: int, before: int | None, path: str) -> Iterator[Changed]:
    inner = os.open(name, _FOLDER, dir_fd=upper)
    outer = os.open(name, _FOLDER, dir_fd=before) if before is not None else None
    try:
        yield from _walk(inner, outer, path)
    finally:
        os.close(inner)
        if outer is not None:
            os.close(outer)


def _look(name: str, directory: int | None) -> os.stat_result | None:
    if directory is None:
        return None
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except OSError:
        return None


def _link(name: str, directory: int | None) -> str:
    return os.readlink(name, dir_fd=directory)


def _differs(new: os.stat_result, old: os.stat_result) -> bool:
    def facts(entry: os.stat_result) -> tuple[int, ...]:
        owner = (entry.st_mode, entry.st_uid, entry.st_gid)
        return (*owner, entry.st_size, entry.st_mtime_ns) if stat.S_ISREG(entry.st_mode) else owner

    return facts(new) != facts(old)
