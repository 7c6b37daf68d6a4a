"""Container files through the engine's archive endpoint: for remote engines, in any state of the container."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pyd_core.client.provider import Provider
from pyd_core.errors import NotFound
from pyd_core.files.entry import MAX_ENTRIES, DirectoryListing, FileEntry, Kind, sort_entries
from pyd_core.sanitise import safe
from pyd_core.tar.async_reader import AsyncTarReader
from pyd_core.tar.entry import TarEntry

MAX_LISTING_BYTES = 64 << 20
"""Limit for one directory's archive: it contains everything below, and the API has no other way to list names."""
MAX_LINKS = 20

_KINDS: dict[bytes, Kind] = {
    b"5": "directory",
    b"2": "link",
    b"6": "pipe",
    b"3": "device",
    b"4": "device",
}


class ArchiveFiles:
    """Files from `GET /containers/{id}/archive`, read no further than needed.

    Args:
        engine: The engine.
        container: The container's id.
    """

    way = "through the engine"

    def __init__(self, engine: Provider, container: str) -> None:
        self._engine = engine
        self._container = container

    async def list(self, path: str) -> DirectoryListing:
        """See `Files`."""
        async with self._open(path) as (tar, top):
            if top.is_directory:
                return await self._list_members(tar)
        raise NotFound(f"{safe(path)} is no directory")

    async def read(self, path: str, size: int, offset: int = 0) -> bytes:
        """See `Files`."""
        async with self._open(path) as (tar, top):
            if not top.is_file:
                raise NotFound(f"{safe(path)} is no regular file")
            content = bytearray()
            async for part in tar.content():
                content += part
                if len(content) >= offset + size:
                    break
            return bytes(content[offset : offset + size])

    @asynccontextmanager
    async def _open(self, path: str) -> AsyncIterator[tuple[AsyncTarReader, TarEntry]]:
        """Open the archive of a path, following links, and read its first entry."""
        for _ in range(MAX_LINKS):
            async with self._engine.containers.archive_stream(self._container, path) as stream:
                tar = AsyncTarReader(stream.chunks())
                top = await tar.next()
                if top is None:
                    break
                if not top.is_symlink:
                    yield tar, top
                    return
                path = _resolve_link(path, os.fsdecode(top.link))
        raise NotFound(f"{safe(path)}: nothing there")

    @staticmethod
    async def _list_members(tar: AsyncTarReader) -> DirectoryListing:
        entries: dict[str, FileEntry] = {}
        while (entry := await tar.next()) is not None:
            if tar.read_bytes > MAX_LISTING_BYTES or len(entries) >= MAX_ENTRIES:
                return DirectoryListing(sort_entries(list(entries.values())), complete=False)
            _, _, inner = os.fsdecode(entry.name).rstrip("/").partition("/")
            if inner and "/" not in inner:
                entries[inner] = FileEntry(
                    name=inner,
                    kind=_KINDS.get(entry.kind, "file"),
                    mode=entry.mode,
                    uid=entry.uid,
                    gid=entry.gid,
                    size=entry.size,
                    modified_ns=entry.mtime_ns,
                    link=os.fsdecode(entry.link) if entry.is_symlink else "",
                )
        return DirectoryListing(sort_entries(list(entries.values())))


def _resolve_link(path: str, link: str) -> str:
    """Return the target of a link at a path, resolved in the container's root."""
    parts: list[str] = []
    target = link if link.startswith("/") else f"{path.rpartition('/')[0]}/{link}"
    for part in target.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in {"", "."}:
            parts.append(part)
    return "/" + "/".join(parts)
