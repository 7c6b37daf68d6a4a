"""Putting what a session changed back into its container, unless the container has changed it too."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import tempfile
from collections.abc import Iterable, Sequence

from pyd_core.client.containers import ContainersApi
from pyd_core.debug.stopped.archive import chunks
from pyd_core.debug.stopped.changes import ADDED, ChangedPath
from pyd_core.debug.stopped.source import LayerSource
from pyd_core.errors import Conflict, KernelError, NotFound
from pyd_core.linux.openat2 import open_in_root
from pyd_core.model.container import Container
from pyd_core.sanitise import safe


def choose(changes: Sequence[ChangedPath], paths: Sequence[str]) -> list[ChangedPath]:
    """Return the changes at or below some paths, with the new directories they lie in; all without paths.

    Raises:
        NotFound: Nothing changed there.
    """
    requested = ["/" + "/".join(part for part in path.split("/") if part) for path in paths]
    for path in requested:
        if not any(_covers(path, change.path) for change in changes):
            raise NotFound(
                f"the session changed nothing at {safe(path)}",
                hint="see what it did with --diff",
                reference="no-change",
            )
    if not requested or "/" in requested:
        return list(changes)
    chosen = {change.path for change in changes if any(_covers(path, change.path) for path in requested)}
    return [
        change
        for change in changes
        if change.path in chosen or (change.kind == ADDED and any(_covers(change.path, path) for path in chosen))
    ]


def _covers(path: str, other: str) -> bool:
    return path in ("/", other) or other.startswith(f"{path}/")


def find_conflicts(changes: Iterable[ChangedPath], own: str, began: int) -> list[str]:
    """Return the paths that the container itself has changed since the session began.

    Args:
        changes: The session's changes.
        own: The container's own upper directory.
        began: When the session began, nanoseconds since the epoch by the kernel's clock for files.
    """
    root = os.open(own, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return [change.path for change in changes if _changed_since(root, change.path, began)]
    finally:
        os.close(root)


def _changed_since(root: int, path: str, began: int) -> bool:
    parts = path.strip("/").split("/")
    for count in range(1, len(parts) + 1):
        try:
            where = open_in_root(root, "/".join(parts[:count]), os.O_PATH | os.O_NOFOLLOW)
        except KernelError:
            return False  # nothing of the container's own here
        try:
            facts = os.fstat(where)
        finally:
            os.close(where)
        # A directory on the way changes with every entry; only one that turned into something else matters.
        if (count == len(parts) or not stat.S_ISDIR(facts.st_mode)) and facts.st_ctime_ns > began:
            return True
    return False


async def find_conflicts_by_engine(
    containers: ContainersApi, name: str, changes: Iterable[ChangedPath], before: int
) -> list[str]:
    """Return the paths that aren't as they were, by asking the engine for each file; directories are left out.

    Args:
        containers: The engine's API of containers.
        name: The container.
        changes: The session's changes.
        before: Descriptor of the root as it was.
    """
    return [change.path for change in changes if await _differs(containers, name, change.path, before)]


async def _differs(containers: ContainersApi, name: str, path: str, before: int) -> bool:
    try:
        where = open_in_root(before, path, os.O_PATH | os.O_NOFOLLOW)
    except KernelError:
        old = None
    else:
        old = os.fstat(where)
        os.close(where)
        if stat.S_ISDIR(old.st_mode):
            return False
    try:
        packed = await containers.archive_get(name, path)
    except NotFound:
        return old is not None
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        now = tar.next()
    if old is None or now is None:
        return True
    return (now.size if now.isreg() else 0, int(now.mtime)) != (
        old.st_size if stat.S_ISREG(old.st_mode) else 0,
        int(old.st_mtime),
    )


async def apply(
    containers: ContainersApi,
    container: Container,
    changes: Sequence[ChangedPath],
    *,
    source: LayerSource,
) -> None:
    """Put added and changed paths into the container; deletions have no place in the engine's archive API.

    Args:
        containers: The engine's API of containers.
        container: The container to write to.
        changes: The changes to apply.
        source: Has them.

    Raises:
        Conflict: The container changed one of them since the session began; nothing is put back then.
    """
    conflicts = await source.conflicts(changes)
    if conflicts:
        shown = safe(container.name)
        raise Conflict(
            f"{shown} itself has changed {', '.join(map(safe, conflicts[:5]))} since the session began",
            hint="name other paths with --apply, or keep all with --save IMAGE",
            reference="changed-meanwhile",
        )
    with tempfile.TemporaryFile() as file:
        await source.write(changes, file, whiteouts=False)
        await containers.archive_put(container.id, "/", chunks(file))
