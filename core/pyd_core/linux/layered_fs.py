"""Access to stacked file system layers without mounting them.

A container's root is a stack of directories (overlayfs, Documentation/filesystems/overlayfs.rst): the upper ones hide
what lies below, a character device 0/0 is a whiteout, an opaque directory hides all below it. Here paths are resolved
over the stack component by component with O_NOFOLLOW, symlinks by hand and inside the stack, so that no link an image
carries leads to the host's files, and nothing is opened that could block or act (devices, pipes).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from pyd_core.linux.openat2 import reopen

MAX_LINKS = 40
"""As the kernel: ELOOP after that."""

Kind = Literal["file", "directory", "other"]

_OPAQUE = ("trusted.overlay.opaque", "user.overlay.opaque", "user.fuseoverlayfs.opaque")


class FileNode(msgspec.Struct, frozen=True, kw_only=True):
    """The file at a path, with symlinks followed."""

    path: str
    """The path after all symlinks, absolute within the tree."""
    kind: Kind
    mode: int
    """Permission bits."""
    uid: int
    gid: int
    size: int


class _LayerEntry(NamedTuple):
    """An entry of one layer: the descriptor of the directory it lies in, its name there, and what it is."""

    parent: int
    name: str
    info: os.stat_result


class MergedTree:
    """A stack of layers seen as one tree.

    Args:
        layers: Directories on this machine, uppermost first.
        mounts: What is mounted where: absolute path in the tree → path on this machine.
    """

    def __init__(self, layers: Sequence[Path], mounts: Mapping[str, Path] | None = None) -> None:
        self._layers = [str(layer) for layer in layers]
        self._mounts = {path.rstrip("/") or "/": str(source) for path, source in (mounts or {}).items()}

    def lookup(self, path: str) -> FileNode | None:
        """Return what lies at an absolute path, None if nothing does.

        Raises:
            PermissionError: This process may not look there.
        """
        with ExitStack() as stack:
            match = self._walk(path, stack, MAX_LINKS)
            return None if match is None else _node(match[0], match[1].info)

    def read(self, path: str, size: int, offset: int = 0) -> bytes:
        """Read up to `size` bytes of the file at a path; empty when there is no file."""
        with ExitStack() as stack:
            match = self._walk(path, stack, MAX_LINKS)
            if match is None or not stat.S_ISREG(match[1].info.st_mode):
                return b""
            entry = match[1]
            handle = os.open(entry.name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=entry.parent)
            stack.callback(os.close, handle)
            if not stat.S_ISREG(os.fstat(handle).st_mode):  # exchanged meanwhile: a pipe would block, a device act
                return b""
            descriptor = reopen(handle, os.O_RDONLY | os.O_NOCTTY)
            stack.callback(os.close, descriptor)
            return os.pread(descriptor, size, offset)

    def names(self, path: str) -> list[tuple[str, os.stat_result, str]] | None:
        """Return what is in a directory: names, facts, and where links point; None when it is no directory.

        Raises:
            PermissionError: This process may not look there.
        """
        with ExitStack() as stack:
            match = self._find(path, stack, MAX_LINKS)
            if match is None or not stat.S_ISDIR(match[1][0].info.st_mode):
                return None
            here, entries = match
            seen: dict[str, tuple[str, os.stat_result, str] | None] = {}
            for entry in entries:
                directory = _open_directory(entry, stack)
                if directory is None:
                    continue
                for name in os.listdir(f"/proc/self/fd/{directory}"):  # noqa: PTH208 - by descriptor
                    if name not in seen:
                        mounted = self._mounts.get(f"{here.rstrip('/')}/{name}")
                        seen[name] = _describe(name, _entry(_NOWHERE, mounted) if mounted else _entry(directory, name))
            return [item for item in seen.values() if item is not None]

    def _walk(self, path: str, stack: ExitStack, budget: int) -> tuple[str, _LayerEntry] | None:
        """Find the uppermost entry at a path; descriptors opened on the way are closed with `held`."""
        match = self._find(path, stack, budget)
        return None if match is None else (match[0], match[1][0])

    def _find(self, path: str, stack: ExitStack, budget: int) -> tuple[str, list[_LayerEntry]] | None:
        """Find the entries at a path that make up what is seen there, uppermost first."""
        parts = _parts(path)
        done: list[str] = []
        trail = [self._root()]
        index = 0
        while index < len(parts):
            part = parts[index]
            index += 1
            if part == "..":
                if done:
                    done.pop()
                    trail.pop()
                continue
            here = "/" + "/".join([*done, part])
            entries = self._entries(trail[-1], part, here, stack)
            if not entries:
                return None
            mode = entries[0].info.st_mode
            if stat.S_ISLNK(mode):
                if budget == 0:
                    return None
                target = os.readlink(entries[0].name, dir_fd=entries[0].parent)
                base = [] if target.startswith("/") else done
                return self._find("/".join([*base, target, *parts[index:]]), stack, budget - 1)
            if not stat.S_ISDIR(mode):
                return None if index < len(parts) else (here, entries)
            done.append(part)
            trail.append(entries)
        return ("/" + "/".join(done), trail[-1]) if trail[-1] else None

    def _root(self) -> list[_LayerEntry]:
        roots = [self._mounts["/"]] if "/" in self._mounts else self._layers
        return [entry for root in roots if (entry := _entry(_NOWHERE, root)) and stat.S_ISDIR(entry.info.st_mode)]

    def _entries(self, parents: list[_LayerEntry], part: str, here: str, stack: ExitStack) -> list[_LayerEntry]:
        if here in self._mounts:
            mounted = _entry(_NOWHERE, self._mounts[here])
            return [] if mounted is None else [mounted]
        return _below(parents, part, stack)


_NOWHERE = -1
"""Stands for the host's own root: only the layers and mount sources themselves are named by whole paths."""


def _entry(parent: int, name: str) -> _LayerEntry | None:
    try:
        info = os.lstat(name) if parent == _NOWHERE else os.stat(name, dir_fd=parent, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _LayerEntry(parent, name, info)


def _below(parents: list[_LayerEntry], part: str, stack: ExitStack) -> list[_LayerEntry]:
    """The places of an entry in a directory that is itself in several layers, uppermost first."""
    entries: list[_LayerEntry] = []
    for parent in parents:
        directory = _open_directory(parent, stack)
        entry = None if directory is None else _entry(directory, part)
        if directory is None or entry is None:
            continue
        mode = entry.info.st_mode
        if stat.S_ISCHR(mode) and entry.info.st_rdev == 0:
            break
        if not stat.S_ISDIR(mode):
            # A file above hides everything below it; below a directory it is hidden itself.
            return entries or [entry]
        entries.append(entry)
        if _is_opaque(entry):
            break
    return entries


def _open_directory(entry: _LayerEntry, stack: ExitStack) -> int | None:
    flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(entry.name, flags, dir_fd=None if entry.parent == _NOWHERE else entry.parent)
    except (FileNotFoundError, NotADirectoryError):
        return None
    stack.callback(os.close, descriptor)
    return descriptor


def _describe(name: str, entry: _LayerEntry | None) -> tuple[str, os.stat_result, str] | None:
    """Return an entry's name, status and link target; None for a whiteout and for one removed meanwhile."""
    if entry is None or (stat.S_ISCHR(entry.info.st_mode) and entry.info.st_rdev == 0):
        return None
    link = ""
    if stat.S_ISLNK(entry.info.st_mode):
        link = os.readlink(entry.name, dir_fd=None if entry.parent == _NOWHERE else entry.parent)
    return name, entry.info, link


def _is_opaque(entry: _LayerEntry) -> bool:
    # There is no getxattr relative to a directory; the descriptor's own path in /proc stands in for one.
    path = entry.name if entry.parent == _NOWHERE else f"/proc/self/fd/{entry.parent}/{entry.name}"
    for name in _OPAQUE:
        try:
            if os.getxattr(path, name, follow_symlinks=False) == b"y":
                return True
        except OSError:
            continue
    return False


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in {"", "."}]


def _node(path: str, info: os.stat_result) -> FileNode:
    kind: Kind = "other"
    if stat.S_ISREG(info.st_mode):
        kind = "file"
    elif stat.S_ISDIR(info.st_mode):
        kind = "directory"
    return FileNode(
        path=path, kind=kind, mode=stat.S_IMODE(info.st_mode), uid=info.st_uid, gid=info.st_gid, size=info.st_size
    )
