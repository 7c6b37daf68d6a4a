"""`docker diff`: the changes of a container's writable layer to its image.

The layer is read by descriptors while its container may run: a directory that is replaced by a link meanwhile is left
out, so no names of the host's files can leak into the response.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from pyd_core.errors import KernelError
from pyd_core.linux.openat2 import RootDirectory
from pyd_core.linux.overlay import is_whiteout
from pyd_core.linux.tree import TreeCursor
from pyd_core.model.container import FileChange

MODIFIED, ADDED, DELETED = 0, 1, 2


def changes(upper: Path, layers: Sequence[Path]) -> list[FileChange]:
    """Return the differences from the image, sorted by path.

    Args:
        upper: The writable layer.
        layers: The layers below it, the topmost first.
    """
    changed: list[FileChange] = []
    with ExitStack() as held:
        top = held.enter_context(RootDirectory(upper))
        below = [held.enter_context(RootDirectory(layer)) for layer in layers]
        _compare(held.enter_context(TreeCursor(top.fd)), below, changed)
    return changed


def _compare(cursor: TreeCursor, below: Sequence[RootDirectory], changed: list[FileChange]) -> None:
    where = ""
    pending = [cursor.names()[::-1]]
    begins: list[tuple[int, os.stat_result]] = []
    """For each entered directory, the number of changes before it, and its status."""
    added = 0
    """How many of the directories entered, the deepest ones, the image doesn't have."""
    while pending:
        if not pending[-1]:
            pending.pop()
            if not pending:
                break
            before, status = begins.pop()
            if not added and (len(changed) > before or _differs(below, where, status)):
                changed.insert(before, FileChange(path=where, kind=MODIFIED))
            added = max(0, added - 1)
            where = where[: -len(cursor.leave()) - 1]
            continue
        name = pending[-1].pop()
        path = f"{where}/{name}"
        with suppress(FileNotFoundError):  # gone since it was listed
            status = os.stat(name, dir_fd=cursor.fd, follow_symlinks=False)
            if is_whiteout(status):
                changed.append(FileChange(path=path, kind=DELETED))
                continue
            new = added > 0 or _lower(below, path) is None
            if stat.S_ISDIR(status.st_mode):
                try:
                    cursor.enter(name)
                except OSError:
                    continue  # gone or swapped since it was listed
                begins.append((len(changed), status))
                pending.append(cursor.names()[::-1])
                where = path
                added += new
            if new:
                changed.append(FileChange(path=path, kind=ADDED))
            elif not stat.S_ISDIR(status.st_mode):
                changed.append(FileChange(path=path, kind=MODIFIED))


def _lower(layers: Sequence[RootDirectory], path: str) -> os.stat_result | None:
    """Return the status of the image's file at a path, whiteouts applied; None where there is none."""
    for layer in layers:
        try:
            fd = layer.open(path, os.O_PATH | os.O_NOFOLLOW)
        except KernelError:
            continue
        try:
            status = os.fstat(fd)
        finally:
            os.close(fd)
        return None if is_whiteout(status) else status
    return None


def _differs(layers: Sequence[RootDirectory], path: str, status: os.stat_result) -> bool:
    other = _lower(layers, path)
    if other is None:
        return True
    return (status.st_mode, status.st_uid, status.st_gid) != (other.st_mode, other.st_uid, other.st_gid)
