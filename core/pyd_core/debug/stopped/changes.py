"""A session's changes: the upper directory of its overlay, compared with the root as it was before."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from pyd_core.linux.overlay import is_opaque, is_whiteout
from pyd_core.linux.tree import TreeCursor

ADDED, MODIFIED, DELETED = "A", "C", "D"
"""As `docker diff` writes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedPath:
    """A path that is no longer as it was.

    Attributes:
        path: From the root, with a leading slash.
        kind: `A` added, `C` changed, `D` deleted; only the top of a deleted tree is listed.
    """

    path: str
    kind: str


def find_changes(upper: int, before: int, *, created: Collection[str] = ()) -> list[ChangedPath]:
    """Return what changed, parents before what lies below them.

    A file that was opened for writing and not written is not changed, although the upper directory has a copy of it,
    nor is a directory that merely holds changes.

    Args:
        upper: Descriptor of the overlay's upper directory.
        before: Descriptor of the root without it.
        created: Paths made for mounts before the session began.
    """
    return [change for change in _walk(upper, before) if change.path not in created]


def paths_in(directory: int) -> list[str]:
    """Return every path below a directory, each with a leading slash."""
    return [change.path for change in _walk(directory, None)]


def _walk(upper: int, before: int | None) -> Iterator[ChangedPath]:
    """Compare two trees, which a container may have made thousands of directories deep."""
    with ExitStack() as held:
        new = held.enter_context(TreeCursor(upper))
        old = held.enter_context(TreeCursor(before)) if before is not None else None
        path, pending, present = "", [new.names()[::-1]], [set(new.names())]
        alone = 0
        """How many of the directories entered have no counterpart before; those are the deepest."""
        while pending:
            counterpart = old if not alone else None
            if not pending[-1]:
                if counterpart is not None and is_opaque(new.fd):
                    for name in counterpart.names():
                        if name not in present[-1]:
                            yield ChangedPath(path=f"{path}/{name}", kind=DELETED)
                pending.pop()
                present.pop()
                if pending:
                    path = path[: -len(new.leave()) - 1]
                    if counterpart is not None:
                        counterpart.leave()
                    alone = max(0, alone - 1)
                continue
            name = pending[-1].pop()
            where = f"{path}/{name}"
            facts, known = _compare(name, new.fd, counterpart.fd if counterpart is not None else None, where)
            yield from known
            if stat.S_ISDIR(facts.st_mode):
                new.enter(name)
                if counterpart is not None and _is_directory(name, counterpart.fd):
                    counterpart.enter(name)
                else:
                    alone += 1
                path = where
                pending.append(new.names()[::-1])
                present.append(set(new.names()))


def _compare(name: str, upper: int, before: int | None, path: str) -> tuple[os.stat_result, list[ChangedPath]]:
    """Return what an entry of the upper directory is, and the change it makes, if any."""
    new = os.stat(name, dir_fd=upper, follow_symlinks=False)
    old = _look(name, before)
    if is_whiteout(new):
        return new, [ChangedPath(path=path, kind=DELETED)] if old is not None else []
    if old is None:
        return new, [ChangedPath(path=path, kind=ADDED)]
    if _differs(new, old) or (stat.S_ISLNK(new.st_mode) and _link(name, upper) != _link(name, before)):
        return new, [ChangedPath(path=path, kind=MODIFIED)]
    return new, []


def _is_directory(name: str, directory: int) -> bool:
    facts = _look(name, directory)
    return facts is not None and stat.S_ISDIR(facts.st_mode)


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
