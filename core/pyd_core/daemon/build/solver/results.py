"""Results of vertices while a build runs: stacks of layers, or a client's directory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pyd_core.daemon.build.solver.records import LayerStack
from pyd_core.linux.openat2 import RootDirectory

if TYPE_CHECKING:
    from pyd_core.daemon.build.solver.local_trees import LocalTree
    from pyd_core.daemon.build.solver.snapshots import SnapshotStore


@dataclass(frozen=True)
class Result:
    """A file system.

    Attributes:
        layers: Its layers, the lowest first; none is an empty file system.
        local: A client's directory in place of layers.
    """

    layers: LayerStack = ()
    local: LocalTree | None = None

    @contextmanager
    def open(self, snapshots: SnapshotStore) -> Iterator[RootDirectory]:
        """Open it for reading; slow where it has layers, which are mounted."""
        if self.local is not None:
            with RootDirectory(self.local.path) as root:
                yield root
            return
        with snapshots.view(self.layers) as path, RootDirectory(path) as root:
            yield root

    def mount(self, snapshots: SnapshotStore, target: Path) -> Path:
        """Return where containers can read it; layers are mounted at a directory of a workspace."""
        if self.local is not None:
            return snapshots.container_path(self.local.path)
        return snapshots.mount_view(self.layers, target, container=True)


@dataclass(frozen=True)
class VertexResult:
    """The outputs of a vertex.

    Attributes:
        identity: What operations on top of it have in their keys.
    """

    identity: str
    outputs: tuple[Result, ...]
