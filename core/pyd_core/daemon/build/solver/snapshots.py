"""Snapshots: the layers that builds make, and mounted views of results.

A file system is a stack of layers, as an image's. A snapshot is the upper directory of an overlay, with the same form
as an unpacked layer. It becomes a layer of the image store, without a copy, when an exporter packs it.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from pyd_core.daemon.build.solver.records import CacheRecords, LayerStack, SnapshotRecord
from pyd_core.daemon.images.layers import LayerStore, StoredLayer
from pyd_core.daemon.userns import Remapping
from pyd_core.errors import InvalidInput, KernelError
from pyd_core.linux.ext4 import spread
from pyd_core.linux.fuse_overlay import mount_fuse_overlay
from pyd_core.linux.mount import MS_BIND, MS_RDONLY, MS_REMOUNT, mount, mount_overlay, unmount
from pyd_core.linux.tree import remove_tree, tree_size
from pyd_core.linux.userns import as_root_of

_NO_OVERLAY = {19: "this kernel has none", 22: "the kernel has none over the engine's file system"}
"""ENODEV and EINVAL of mount(2), for the message."""


@dataclass(frozen=True)
class Workspace:
    """A directory with a mounted file system that is being changed.

    Attributes:
        directory: Holds the others.
        lower: The layers below.
    """

    directory: Path
    lower: LayerStack

    @property
    def merged(self) -> Path:
        """The mount point."""
        return self.directory / "merged"

    @property
    def upper(self) -> Path:
        """The changes."""
        return self.directory / "upper"


class SnapshotStore:
    """The layers of the build cache.

    Args:
        root: Directory for snapshots and workspaces, on the same file system as the layers of images.
        records: The cache's database.
        layers: The layers of images.
        remapping: Which ids containers have on the host; None where they are the same.
    """

    def __init__(self, root: Path, records: CacheRecords, layers: LayerStore, *, remapping: Remapping | None) -> None:
        self._root = root / "snapshots"
        self._workspaces = root / "work"
        self._records = records
        self._layers = layers
        self._remapping = remapping
        self._uses: Counter[str] = Counter()
        self._pending: dict[str, SnapshotRecord] = {}
        """Layers that an operation has made and that aren't recorded yet."""
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)  # set-user-ID files would run as root
        self._workspaces.mkdir(exist_ok=True, mode=0o711)
        spread(self._workspaces)

    def recover(self) -> None:
        """Remove what an engine that was killed has left, once its steps have ended."""
        for left in self._workspaces.iterdir():
            for name in ("merged", *(path.name for path in left.iterdir() if path.name.startswith("view-"))):
                while unmount(left / name):
                    pass
            remove_tree(left, ignore_errors=True)
        known = {record.id for record in self._records.snapshots}
        for directory in self._root.iterdir():
            if directory.name not in known:
                remove_tree(directory, ignore_errors=True)
        for record in list(self._records.results):
            if not all(self.exists(layer) for output in record.outputs for layer in output):
                self._records.results.delete(record.key)
        referenced = self._records.referenced()
        for snapshot in list(self._records.snapshots):
            if snapshot.id not in referenced:
                self._records.snapshots.delete(snapshot.id)
                remove_tree(self._root / snapshot.id, ignore_errors=True)

    # Layers

    def _record(self, layer: str) -> SnapshotRecord | None:
        return self._records.snapshots.get(layer) or self._pending.get(layer)

    def exists(self, layer: str) -> bool:
        """Return whether a layer's files exist."""
        if layer.startswith("sha256:"):
            return layer in self._layers
        record = self._record(layer)
        return record is not None and (
            (record.diff_id != "" and record.diff_id in self._layers) or (self._root / layer).is_dir()
        )

    def directory(self, layer: str) -> Path:
        """Return the directory of a layer's files.

        Raises:
            InvalidInput: The layer is missing.
        """
        if layer.startswith("sha256:"):
            return self._layers.directory(layer)
        record = self._record(layer)
        if record is None:
            raise InvalidInput(f"the layer {layer[:80]} is missing from the build cache", reference="missing-layer")
        own = self._root / layer
        if record.diff_id and not own.exists():
            return self._layers.directory(record.diff_id)
        return own

    def diff_id(self, layer: str) -> str:
        """Return a layer's diff id; empty if it hasn't been packed."""
        if layer.startswith("sha256:"):
            return layer
        record = self._record(layer)
        return record.diff_id if record is not None and record.diff_id in self._layers else ""

    def size(self, layer: str) -> int:
        """Return the size of a layer's files in bytes."""
        if layer.startswith("sha256:"):
            return self._layers.get(layer).size
        record = self._record(layer)
        return record.size if record is not None else 0

    def created_ns(self, layer: str) -> int:
        """Return the time when a build made a layer, in nanoseconds since 1970; 0 for an image's layer."""
        record = self._record(layer)
        return record.created_ns if record is not None else 0

    def packed(self, layer: str, stored: StoredLayer) -> None:
        """Record that a snapshot has become a layer of the image store."""
        record = self._record(layer)
        if record is not None:
            self._records.snapshots.put(layer, msgspec.structs.replace(record, diff_id=stored.diff_id))

    def image_layers(self) -> set[str]:
        """Return the layers of the image store that the cache and running builds need."""
        used = self._records.referenced() | {layer for layer, count in self._uses.items() if count > 0}
        return {diff_id for layer in used if (diff_id := self.diff_id(layer))}

    @contextmanager
    def hold(self, layers: Iterable[str]) -> Iterator[None]:
        """Keep layers while a build uses them, though the cache may drop its record of them."""
        held = list(layers)
        self._uses.update(held)
        try:
            yield
        finally:
            self._uses.subtract(held)

    def is_held(self, layer: str) -> bool:
        """Return whether a build uses a layer."""
        return self._uses[layer] > 0

    # Workspaces

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """Provide a temporary directory; at its end, `merged` and `view-…` directories in it are unmounted."""
        directory = self._workspaces / os.urandom(8).hex()
        directory.mkdir(mode=0o710)
        if self._remapping is not None:
            self._remapping.let_pass(directory)
        try:
            yield directory
        finally:
            for path in directory.iterdir():
                if path.name == "merged" or path.name.startswith("view-"):
                    while unmount(path):
                        pass
            remove_tree(directory, ignore_errors=True)

    @contextmanager
    def change(self, lower: LayerStack, *, container: bool = False) -> Iterator[Workspace]:
        """Mount a file system to change it; `commit` keeps the changes, otherwise they are removed.

        Args:
            lower: The layers below.
            container: Whether containers see it, with mapped ids.
        """
        with self.workspace() as directory:
            work = Workspace(directory, lower)
            self.mount_changes(work, container=container)
            yield work

    def mount_changes(self, work: Workspace, *, container: bool, below: Path | None = None) -> None:
        """Mount a workspace's file system.

        Args:
            work: The workspace.
            container: Whether containers see it, with mapped ids.
            below: A directory of the engine in place of layers.
        """
        for name in ("merged", "upper", "work"):
            (work.directory / name).mkdir()
        work.upper.chmod(0o755)
        stack = [below] if below is not None else self._stack(work.lower)
        if container and self._remapping is not None:
            self._remapping.mount(stack, work.upper, work.directory / "work", work.merged)
        else:
            _mount(stack, work.upper, work.directory / "work", work.merged)

    def _stack(self, layers: Sequence[str]) -> list[Path]:
        """Return the directories of layers, topmost first; the kernel refuses one that is there twice."""
        directories = list(dict.fromkeys(self.directory(layer) for layer in reversed(layers)))
        return directories or [self._empty()]

    def _empty(self) -> Path:
        directory = self._root.parent / "empty"
        directory.mkdir(exist_ok=True, mode=0o755)
        return directory

    @contextmanager
    def view(self, layers: LayerStack) -> Iterator[Path]:
        """Mount a file system read-only."""
        with self.workspace() as directory:
            yield self.mount_view(layers, directory / "view-0")

    def mount_view(self, layers: LayerStack, target: Path, *, container: bool = False) -> Path:
        """Mount a file system read-only in a directory of a workspace, whose name begins with `view-`.

        Args:
            layers: The layers.
            target: The directory.
            container: Whether containers see it, with mapped ids.
        """
        target.mkdir()
        stack = self._stack(layers)
        empty = self._empty()
        if stack == [empty]:
            mount(str(empty), str(target), "", MS_BIND)
            mount("", str(target), "", MS_BIND | MS_REMOUNT | MS_RDONLY)
            return target
        # An overlay without an upper directory takes two others, and hides the whiteouts that a layer has.
        stack = stack if len(stack) > 1 else [*stack, empty]
        if container and self._remapping is not None:
            mapped = [self._remapping.mapped_path(path) for path in stack]
            as_root_of(self._remapping.ids, lambda: mount_overlay(mapped, None, None, target))
        else:
            _mount(stack, None, None, target)
        return target

    @contextmanager
    def bound(self, source: str, target: str) -> Iterator[None]:
        """Bind-mount a directory on another while the block runs."""
        mount(source, target, "", MS_BIND)
        try:
            yield
        finally:
            unmount(target)

    def container_path(self, path: Path) -> Path:
        """Return where containers see a directory of the engine with their ids."""
        return self._remapping.mapped_path(path) if self._remapping is not None else path

    def commit(self, upper: Path) -> str:
        """Keep a directory of changes as a layer and return its id; it is pending until a result refers to it."""
        layer = f"snap-{os.urandom(16).hex()}"
        upper.rename(self._root / layer)
        return layer

    def measure(self, layer: str, *, name: str = "", kind: str = "regular") -> SnapshotRecord:
        """Return the record of a committed layer; slow, so call it on a thread."""
        return SnapshotRecord(
            id=layer, size=tree_size(self._root / layer), name=name, kind=kind, created_ns=time.time_ns()
        )

    def add_pending(self, record: SnapshotRecord) -> None:
        """Make a committed layer usable before a result refers to it; may be called on any thread."""
        self._pending[record.id] = record

    def add(self, layers: Iterable[str]) -> None:
        """Record pending layers, because a result refers to them; call it in the thread that owns the database."""
        for layer in layers:
            record = self._pending.get(layer)
            if record is not None:
                self._records.snapshots.put(layer, record)
                del self._pending[layer]

    def discard_pending(self, layers: Iterable[str]) -> list[Path]:
        """Forget pending layers that nothing holds; return their directories for removal."""
        removed: list[Path] = []
        for layer in layers:
            if self._uses[layer] <= 0 and self._pending.pop(layer, None) is not None:
                gone = self._root / f"gone-{os.urandom(8).hex()}"
                with contextlib.suppress(FileNotFoundError):
                    (self._root / layer).rename(gone)
                    removed.append(gone)
        return removed

    def path_of(self, layer: str) -> Path:
        """Return the directory of a layer that isn't packed."""
        return self._root / layer

    def delete_unreferenced(self) -> list[Path]:
        """Forget the layers that no result and no running build needs; return their directories for removal."""
        referenced = self._records.referenced()
        removed: list[Path] = []
        for record in list(self._records.snapshots):
            if record.id not in referenced and self._uses[record.id] <= 0:
                self._records.snapshots.delete(record.id)
                directory = self._root / record.id
                gone = self._root / f"gone-{os.urandom(8).hex()}"
                with contextlib.suppress(FileNotFoundError):
                    directory.rename(gone)
                    removed.append(gone)
        return removed


def _mount(stack: Sequence[Path], upper: Path | None, work: Path | None, target: Path) -> None:
    try:
        mount_overlay(stack, upper, work, target)
    except KernelError as error:
        if error.errno not in _NO_OVERLAY or upper is None or work is None:
            raise
        mount_fuse_overlay(list(stack), upper, work, target, why=_NO_OVERLAY[error.errno])
