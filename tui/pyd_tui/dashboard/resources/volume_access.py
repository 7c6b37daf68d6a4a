"""Access to the files in a volume: on this machine's disk, else through a container that mounts it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pyd_core.errors import NotFound
from pyd_core.files.archive import ArchiveFiles
from pyd_core.files.entry import DirectoryListing, Files
from pyd_core.files.layers import LayerFiles
from pyd_core.linux.layered_fs import MergedTree
from pyd_core.model.container import ContainerSummary
from pyd_core.model.volume import Volume
from pyd_tui.dashboard.engines.target import RowTarget
from pyd_tui.dashboard.resources.base import LoadContext


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeAccess:
    """Access to the files in a volume.

    Attributes:
        files: Reads them; `/` is the volume.
        target: A container that mounts the volume; None if none does.
        prefix: The path of the volume in that container.
    """

    files: Files
    target: RowTarget | None
    prefix: str


class DiskFiles(LayerFiles):
    """Files of a volume on this machine's disk; links in it never lead out of it."""

    way = "from the disk"


class SubtreeFiles:
    """Files below a directory of other files, which becomes `/`.

    Args:
        files: The other files.
        prefix: The directory.
    """

    def __init__(self, files: Files, prefix: str) -> None:
        self._files = files
        self._prefix = prefix.rstrip("/")
        self.way = files.way

    async def list(self, path: str) -> DirectoryListing:
        """Return the entries of a directory, following links."""
        return await self._files.list(self._prefix + path)

    async def read(self, path: str, size: int, offset: int = 0) -> bytes:
        """Return up to `size` bytes of a regular file, following links."""
        return await self._files.read(self._prefix + path, size, offset)


def open_volume(context: LoadContext, volume: Volume, used: list[ContainerSummary]) -> VolumeAccess:
    """Return the best access to a volume's files.

    Raises:
        NotFound: They aren't on this machine, and no container mounts the volume.
    """
    mounts = ((container, mount) for container in used for mount in container.mounts)
    container, mount = next((pair for pair in mounts if pair[1].name == volume.name), (None, None))
    target = RowTarget(context.link, container.id) if container is not None else None
    prefix = mount.destination.rstrip("/") if mount is not None else ""
    engine, path = context.engine, volume.mountpoint
    if engine.endpoint.is_local and path.startswith("/") and os.access(path, os.R_OK | os.X_OK):
        return VolumeAccess(files=DiskFiles(MergedTree([Path(path)])), target=target, prefix=prefix)
    if container is None or mount is None:
        raise NotFound(
            "the files of the volume can't be read from here",
            hint="no container mounts it; run pyd as root on the engine's host",
        )
    files = SubtreeFiles(ArchiveFiles(engine, container.id), mount.destination)
    return VolumeAccess(files=files, target=target, prefix=prefix)
