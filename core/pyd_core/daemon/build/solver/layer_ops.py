"""Operations on layers: merge and diff (moby/buildkit, `docs/dev/merge-diff.md`)."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from pyd_core.daemon.build.solver import tree_walk
from pyd_core.daemon.build.solver.results import Result
from pyd_core.daemon.build.solver.snapshots import SnapshotStore
from pyd_core.daemon.build.solver.tree_copy import CopyOptions, TreeCopier
from pyd_core.errors import InvalidInput
from pyd_core.linux.mount import unmount
from pyd_core.linux.openat2 import RootDirectory
from pyd_core.linux.tree import remove_tree


def merge(inputs: Sequence[Result]) -> Result:
    """Return the inputs over each other, the last one topmost."""
    for item in inputs:
        if item.local is not None:
            raise InvalidInput("a client's directory can't be merged")
    return Result(tuple(layer for item in inputs for layer in item.layers))


def shared_layers(lower: Result, upper: Result) -> Result | None:
    """Return the difference of file systems of which one continues the other's layers; None for others."""
    count = len(lower.layers)
    if lower.local is None and upper.local is None and upper.layers[:count] == lower.layers:
        return Result(upper.layers[count:])
    return None


def diff(lower: Result, upper: Result, snapshots: SnapshotStore, check: Callable[[], None]) -> Result:
    """Make a layer of what turns one file system into another; slow, so call it on a thread."""
    with ExitStack() as stack:
        before = stack.enter_context(lower.open(snapshots))
        after = stack.enter_context(upper.open(snapshots))
        work = stack.enter_context(snapshots.change(lower.layers))
        target = stack.enter_context(RootDirectory(work.merged))
        _remove_missing(before, after, target, check)
        _copy_changed(before, after, target, check)
        unmount(work.merged)
        layer = snapshots.commit(work.upper)
    snapshots.add_pending(snapshots.measure(layer))
    return Result((layer,))


def _entries(root: RootDirectory, check: Callable[[], None]) -> dict[str, os.stat_result]:
    entries: dict[str, os.stat_result] = {}
    for step in tree_walk.walk(root.fd, None, None):
        check()
        if not isinstance(step, tree_walk.Left) and step.path:
            entries[step.path] = step.status
    return entries


def _remove_missing(
    before: RootDirectory, after: RootDirectory, target: RootDirectory, check: Callable[[], None]
) -> None:
    present = _entries(after, check)
    removed = ""
    for path in _entries(before, check):
        if path in present or (removed and path.startswith(f"{removed}/")):
            continue
        removed = path
        above, _, name = path.rpartition("/")
        parent = target.open(above or "/", os.O_RDONLY | os.O_DIRECTORY)
        try:
            remove_tree(name, dir_fd=parent)
        finally:
            os.close(parent)


def _copy_changed(
    before: RootDirectory, after: RootDirectory, target: RootDirectory, check: Callable[[], None]
) -> None:
    known = _entries(before, check)
    entries = _entries(after, check)
    changed = tuple(path for path, status in entries.items() if path not in known or _differs(known[path], status))
    for path in changed:
        status = entries[path]
        if stat.S_ISDIR(status.st_mode):
            _copy_directory(path, status, target)
        else:
            TreeCopier(after, target, CopyOptions(replace=True), check=check).copy(f"/{path}", f"/{path}")


def _copy_directory(path: str, status: os.stat_result, target: RootDirectory) -> None:
    fd = target.make_directories(path)
    try:
        handle = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=fd)
    finally:
        os.close(fd)
    try:
        os.fchown(handle, status.st_uid, status.st_gid)
        os.fchmod(handle, stat.S_IMODE(status.st_mode))
        os.utime(handle, ns=(status.st_mtime_ns, status.st_mtime_ns))
    finally:
        os.close(handle)


def _differs(old: os.stat_result, new: os.stat_result) -> bool:
    def facts(status: os.stat_result) -> tuple[int, ...]:
        size = 0 if stat.S_ISDIR(status.st_mode) else status.st_size
        return status.st_mode, status.st_uid, status.st_gid, size, status.st_mtime_ns, status.st_rdev

    return facts(old) != facts(new)
