"""Digests of content: of what an operation reads of a result, without modification times.

As in BuildKit, a file counts by its path within the selection, type, mode, owner, attributes and content. So a file
that was only touched doesn't change anything.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from pyd_core.daemon.build.solver import tree_walk
from pyd_core.daemon.build.solver.keys import CopySelection
from pyd_core.daemon.build.solver.patterns import PatternList
from pyd_core.errors import KernelError
from pyd_core.linux.openat2 import RootDirectory, reopen

CHUNK_BYTES = 1 << 20


def selection_digest(
    root: RootDirectory,
    selection: CopySelection,
    *,
    known: Mapping[str, str] | None = None,
    check: Callable[[], None] = lambda: None,
) -> str:
    """Return the digest of a selection; slow, so call it on a thread.

    Args:
        root: The file system.
        selection: What is read of it.
        known: Digests of files by their paths without a leading slash, where they are known already.
        check: Called at each file; raises to stop.
    """
    hasher = hashlib.sha256()
    include = PatternList(selection.include) if selection.include else None
    exclude = PatternList(selection.exclude) if selection.exclude else None
    for path in tree_walk.sources(root, selection):
        hasher.update(f"source {os.path.basename(path.rstrip('/.'))}\0".encode(errors="surrogateescape"))  # noqa: PTH119
        try:
            fd = tree_walk.open_source(root, path, follow_link=selection.follow_link)
        except KernelError:
            hasher.update(b"missing\0")
            continue
        try:
            status = os.fstat(fd)
            if stat.S_ISDIR(status.st_mode):
                prefix = _prefix(root, fd) if known is not None else ""
                for step in tree_walk.walk(fd, include, exclude):
                    check()
                    _add(hasher, step, known, prefix)
            else:
                handle = f"/proc/self/fd/{fd}"
                _add_node(
                    hasher, "", status, _link(fd) or "", tree_walk.read_xattrs(handle) if _has_xattrs(status) else {}
                )
                if stat.S_ISREG(status.st_mode):
                    hasher.update(_file_digest(fd).encode())
        finally:
            os.close(fd)
    return f"sha256:{hasher.hexdigest()}"


def _prefix(root: RootDirectory, fd: int) -> str:
    """Return the path of a directory below a root, with a slash at its end; empty for the root."""
    path = os.path.relpath(Path(f"/proc/self/fd/{fd}").readlink(), Path(f"/proc/self/fd/{root.fd}").readlink())
    return "" if path == "." else f"{path}/"


def _add(hasher: hashlib._Hash, step: tree_walk.Step, known: Mapping[str, str] | None, prefix: str) -> None:
    if isinstance(step, tree_walk.Left):
        return
    if isinstance(step, tree_walk.Entered):
        _add_node(hasher, step.path, step.status, "", step.xattrs)
        return
    mode = step.status.st_mode
    if stat.S_ISLNK(mode):
        _add_node(hasher, step.path, step.status, os.readlink(step.name, dir_fd=step.parent), {})
        return
    if not stat.S_ISREG(mode):
        _add_node(hasher, step.path, step.status, "", {})
        return
    fd = os.open(step.name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=step.parent)
    try:
        _add_node(hasher, step.path, step.status, "", tree_walk.read_xattrs(f"/proc/self/fd/{fd}"))
        digest = known.get(prefix + step.path, "") if known is not None else ""
        hasher.update((digest or _file_digest(fd)).encode())
    finally:
        os.close(fd)


def _has_xattrs(status: os.stat_result) -> bool:
    return not stat.S_ISLNK(status.st_mode)


def _link(fd: int) -> str | None:
    return os.readlink("", dir_fd=fd) if stat.S_ISLNK(os.fstat(fd).st_mode) else None


def _add_node(hasher: hashlib._Hash, path: str, status: os.stat_result, link: str, xattrs: Mapping[str, bytes]) -> None:
    size = status.st_size if stat.S_ISREG(status.st_mode) else 0
    device = status.st_rdev if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode) else 0
    text = f"{path}\0{status.st_mode}\0{status.st_uid}\0{status.st_gid}\0{size}\0{device}\0{link}\0"
    hasher.update(text.encode(errors="surrogateescape"))
    for name in sorted(xattrs):
        hasher.update(name.encode() + b"=" + xattrs[name] + b"\0")


def _file_digest(fd: int) -> str:
    """Return the digest of a regular file's content, given as an `O_PATH` descriptor."""
    with os.fdopen(reopen(fd, os.O_RDONLY | os.O_NOCTTY), "rb", buffering=0) as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
