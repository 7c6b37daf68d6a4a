"""Clients' directories: copies that are kept between builds, so that only changed files travel."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from pyd_core.daemon.build.interfaces import SyncedTree
from pyd_core.linux.ext4 import spread
from pyd_core.linux.tree import remove_tree, tree_size

MAX_TREES = 64
"""Copies that are kept; the one that wasn't used for longest makes room."""
_BUSY = "busy"
_INDEX = "index"


class LocalTree:
    """A copy of a client's directory.

    Attributes:
        holders: Builds and operations that use it; it may change only while there is none.
        synced: What it holds; None where that isn't known.
    """

    def __init__(self, directory: Path, key: str) -> None:
        self.directory = directory
        self.key = key
        self.holders = 0
        self.synced = _read_index(directory / _INDEX)
        self.digests: dict[str, str] = {}
        """Digests of its files by path."""

    @property
    def path(self) -> Path:
        """The directory with the client's files."""
        return self.directory / "tree"

    def set_state(self, tree: SyncedTree) -> str:
        """Take over what a sync has reported and return a digest of all of it, without modification times."""
        hasher = hashlib.sha256()
        is_changed = self.synced is None or tree.entries != self.synced.entries
        self.synced = tree
        if is_changed:
            (self.directory / _INDEX).write_bytes(msgspec.msgpack.encode(tree))
        self.digests = {}
        for path, entry in tree.entries.items():
            if entry.digest:
                self.digests[path] = entry.digest
            xattrs = sorted(entry.xattrs.items()) if entry.xattrs else ""
            device = (entry.devmajor, entry.devminor) if entry.devmajor or entry.devminor else ""
            owner = f"{entry.uid}:{entry.gid}"
            text = f"{path}\0{entry.mode}\0{owner}\0{entry.linkname}\0{entry.digest}\0{device}\0{xattrs}\0"
            hasher.update(text.encode(errors="surrogateescape"))
        return f"sha256:{hasher.hexdigest()}"

    def begin(self) -> None:
        """Mark the copy as incomplete: an engine that finds the mark at its start removes the copy."""
        (self.directory / _BUSY).touch()

    def complete(self) -> None:
        """Remove the mark."""
        (self.directory / _BUSY).unlink(missing_ok=True)
        os.utime(self.directory)


class LocalTrees:
    """All copies, in a directory of the engine."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        spread(root)
        self._trees: list[LocalTree] = []
        for directory in sorted(root.iterdir()):
            if (directory / _BUSY).exists() or not (directory / "tree").is_dir() or "-" not in directory.name:
                remove_tree(directory, ignore_errors=True)
            else:
                self._trees.append(LocalTree(directory, directory.name.partition("-")[0]))

    def __iter__(self) -> Iterator[LocalTree]:
        return iter(list(self._trees))

    def acquire(self, shared_key: str, name: str, hint: str) -> LocalTree:
        """Return a copy that nothing else uses, held by the caller; a new one is empty.

        Args:
            shared_key: Names the client; empty makes a copy of its own.
            name: The client's name of the directory.
            hint: What the definition says about the directory, to tell several apart.
        """
        text = f"{shared_key}\0{name}\0{hint}" if shared_key else os.urandom(16).hex()
        key = hashlib.sha256(text.encode()).hexdigest()[:32]
        tree = next((tree for tree in self._trees if tree.key == key and not tree.holders), None)
        if tree is None:
            directory = self._root / f"{key}-{os.urandom(4).hex()}"
            (directory / "tree").mkdir(parents=True)
            tree = LocalTree(directory, key)
            self._trees.append(tree)
        tree.holders += 1
        return tree

    def release(self, tree: LocalTree) -> None:
        """Stop using a copy."""
        tree.holders -= 1

    def discard(self, tree: LocalTree) -> Path | None:
        """Forget a copy and return its directory for removal; None where something uses it."""
        if tree.holders or tree not in self._trees:
            return None
        self._trees.remove(tree)
        gone = self._root / f"gone{os.urandom(8).hex()}"
        tree.directory.rename(gone)
        return gone

    def surplus(self) -> list[LocalTree]:
        """Return the copies beyond `MAX_TREES`, those first that weren't used for longest."""
        idle = sorted((tree for tree in self._trees if not tree.holders), key=lambda tree: _used(tree.directory))
        return idle[: max(0, len(self._trees) - MAX_TREES)]


def _read_index(path: Path) -> SyncedTree | None:
    """Read what a copy holds; the copy's mark says whether that is still true."""
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=SyncedTree)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _used(directory: Path) -> float:
    try:
        return directory.stat().st_mtime
    except FileNotFoundError:
        return time.time()


def used_bytes(tree: LocalTree) -> int:
    """Return the size of a copy; slow, so call it on a thread."""
    return tree_size(tree.path)
