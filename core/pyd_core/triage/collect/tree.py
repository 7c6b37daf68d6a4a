"""A container's files, wherever they can be read: in its layers on this disk, or through the engine's archives."""

from __future__ import annotations

import io
import tarfile
from typing import Protocol

from pyd_core.client.provider import Provider
from pyd_core.errors import NotFound
from pyd_core.linux.layered_fs import FileNode, Kind, MergedTree

MAX_FILE_BYTES = 8 * 2**20
"""Read of one file: programs are big, and what is looked for in them stands near their beginning."""
MAX_LINKS = 20


class Tree(Protocol):
    """Files of a container that need not run."""

    quick: bool
    """Whether looking costs next to nothing."""

    async def lookup(self, path: str) -> FileNode | None:
        """Return what lies at an absolute path, symlinks followed; None if nothing does."""
        ...

    async def read(self, path: str, size: int, offset: int = 0) -> bytes:
        """Read up to `size` bytes of a file; empty for anything else."""
        ...


class LayerTree:
    """Layers on this disk."""

    quick = True

    def __init__(self, tree: MergedTree) -> None:
        self._tree = tree

    async def lookup(self, path: str) -> FileNode | None:
        """See `Tree`."""
        return self._tree.lookup(path)

    async def read(self, path: str, size: int, offset: int = 0) -> bytes:
        """See `Tree`."""
        return self._tree.read(path, size, offset)


class ArchiveTree:
    """Through `GET /containers/{id}/archive`; nothing is unpacked, and links are followed inside the container."""

    quick = False

    def __init__(self, engine: Provider, container: str) -> None:
        self._engine = engine
        self._container = container
        self._known: dict[str, tuple[FileNode, bytes] | None] = {}

    async def lookup(self, path: str) -> FileNode | None:
        """See `Tree`."""
        entry = await self._find(path)
        return None if entry is None else entry[0]

    async def read(self, path: str, size: int, offset: int = 0) -> bytes:
        """See `Tree`; nothing beyond `MAX_FILE_BYTES`."""
        entry = await self._find(path)
        return b"" if entry is None else entry[1][offset : offset + size]

    async def _find(self, path: str) -> tuple[FileNode, bytes] | None:
        if path not in self._known:
            self._known[path] = await self._fetch(path)
        return self._known[path]

    async def _fetch(self, path: str) -> tuple[FileNode, bytes] | None:
        for _ in range(MAX_LINKS):
            begin = await self._begin(path)
            if begin is None:
                return None
            entry, data = begin
            if not entry.issym():
                kind: Kind = "file" if entry.isfile() else "directory" if entry.isdir() else "other"
                node = FileNode(
                    path=path, kind=kind, mode=entry.mode & 0o7777, uid=entry.uid, gid=entry.gid, size=entry.size
                )  # fmt: skip
                return node, data if kind == "file" else b""
            target = entry.linkname
            path = target if target.startswith("/") else f"{path.rpartition('/')[0]}/{target}"
        return None

    async def _begin(self, path: str) -> tuple[tarfile.TarInfo, bytes] | None:
        """The first entry of the archive, and its data as far as it is kept."""
        buffer = bytearray()
        try:
            async with self._engine.containers.archive_stream(self._container, path) as stream:
                async for chunk in stream.chunks():
                    buffer += chunk
                    if len(buffer) > MAX_FILE_BYTES:
                        break
        except NotFound:
            return None
        try:
            with tarfile.open(fileobj=io.BytesIO(bytes(buffer)), mode="r:") as tar:
                entry = tar.next()
        except tarfile.TarError:
            return None
        if entry is None:
            return None
        return entry, bytes(buffer[entry.offset_data : entry.offset_data + entry.size])
