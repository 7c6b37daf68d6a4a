"""`FileSync`: sends directories of this machine to the builder, which requests only the files that it lacks.

The builder opens a stream for each local source. It receives the metadata of every file, requests the contents that
differ from what it kept of an earlier build, and ends with a FIN (tonistiigi/fsutil, `send.go`).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import grpclib.const
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from pyd_core.buildkit.client.follow_links import follow_links
from pyd_core.buildkit.client.path_filter import PathFilter
from pyd_core.buildkit.client.walk import DirectoryWalk
from pyd_core.buildkit.go_mode import TYPE_BITS
from pyd_core.buildkit.proto import fsutil_stat_pb2, fsutil_wire_pb2
from pyd_core.buildkit.rpc.framing import BatchWriter
from pyd_core.buildkit.rpc.messages import receive_batches
from pyd_core.buildkit.rpc.metadata import metadata_value, metadata_values
from pyd_core.errors import PydError
from pyd_core.tasks import TaskOwner

if TYPE_CHECKING:
    from grpclib.server import Stream

MAX_PATTERNS = 100_000
"""Patterns and paths that a builder may name for one source."""
READ_BYTES = 256 * 1024
WALK_ENTRIES = 512
"""Files whose metadata is read between two writes."""

Packet = fsutil_wire_pb2.Packet


class SentFile:
    """A file that was announced to the builder."""

    __slots__ = ("path", "size")

    def __init__(self, path: str, size: int) -> None:
        self.path = path
        self.size = size


class FileSyncService:
    """Serves the directories of a build.

    Args:
        directories: Local directories by the name that the build's definition has for them.
        on_sync: Called with the name and the announced files of each finished source, for messages about the context.
    """

    METHODS = ("/moby.filesync.v1.FileSync/DiffCopy",)

    def __init__(
        self, directories: Mapping[str, Path], on_sync: Callable[[str, list[SentFile]], None] | None = None
    ) -> None:
        self._directories = directories
        self._on_sync = on_sync

    def __mapping__(self) -> dict[str, grpclib.const.Handler]:
        """Return the methods by path."""
        handler = grpclib.const.Handler(
            self._diff_copy, grpclib.const.Cardinality.STREAM_STREAM, fsutil_wire_pb2.Packet, fsutil_wire_pb2.Packet
        )
        return dict.fromkeys(self.METHODS, handler)

    async def _diff_copy(self, stream: Stream[Any, Any]) -> None:
        name = "".join(_values(stream, "dir-name"))
        root = self._directories.get(name)
        if root is None:
            raise GRPCError(Status.NOT_FOUND, f"no access to the directory {name!r}")
        include, exclude = _values(stream, "include-patterns"), _values(stream, "exclude-patterns")
        followed = _values(stream, "followpaths")
        try:
            if followed:
                links = await asyncio.to_thread(follow_links, root, followed)
                include = [*include, *links] if links else include
            walk = DirectoryWalk(root, PathFilter(include, exclude))
            files = await _Transfer(stream, root).run(iter(walk))
        except PydError as error:
            raise GRPCError(Status.FAILED_PRECONDITION, error.message) from error
        if self._on_sync is not None:
            self._on_sync(name, files)


class _Transfer:
    """A run of the protocol on one stream."""

    def __init__(self, stream: Stream[Any, Any], root: Path) -> None:
        self._stream = stream
        self._root = os.fspath(root)
        self._out = BatchWriter(stream)
        self._files: list[SentFile | None] = []
        self._requested: asyncio.Queue[int | None] = asyncio.Queue()
        self._walked = False

    async def run(self, walk: Iterator[fsutil_stat_pb2.Stat]) -> list[SentFile]:
        async with TaskOwner() as tasks:
            reader = tasks.start(self._read_requests(), name="file requests")
            await self._announce(walk)
            while (number := await self._requested.get()) is not None:
                await self._send_file(number)
                if self._requested.empty():
                    await self._out.flush()
            await reader
        await self._out.add(Packet(type=Packet.PACKET_FIN).SerializeToString())
        await self._out.flush()
        return [file for file in self._files if file is not None]

    async def _announce(self, walk: Iterator[fsutil_stat_pb2.Stat]) -> None:
        """Send the metadata of all files, and the files that are requested meanwhile."""
        while items := await asyncio.to_thread(lambda: list(islice(walk, WALK_ENTRIES))):
            for item in items:
                is_file = not item.mode & TYPE_BITS
                self._files.append(SentFile(item.path, item.size) if is_file else None)
                await self._out.add(Packet(type=Packet.PACKET_STAT, stat=item).SerializeToString())
            await self._out.flush()
            while not self._requested.empty():
                number = self._requested.get_nowait()
                if number is None:
                    self._requested.put_nowait(None)  # an early end is noticed once all is announced
                    break
                await self._send_file(number)
        await self._out.add(Packet(type=Packet.PACKET_STAT).SerializeToString())
        await self._out.flush()

    async def _read_requests(self) -> None:
        try:
            async for packets in receive_batches(self._stream, Packet):
                for packet in packets:
                    if packet.type == Packet.PACKET_REQ:
                        self._requested.put_nowait(packet.ID)
                    elif packet.type == Packet.PACKET_FIN:
                        return
                    elif packet.type == Packet.PACKET_ERR:
                        text = packet.data[:500].decode(errors="replace")
                        raise GRPCError(Status.ABORTED, f"the builder stopped reading files: {text}")
        finally:
            self._requested.put_nowait(None)

    async def _send_file(self, number: int) -> None:
        file = self._files[number] if number < len(self._files) else None
        if file is None:
            raise GRPCError(Status.INVALID_ARGUMENT, f"the builder requested file {number}, which was never announced")
        path = f"{self._root}/{file.path}"
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise GRPCError(Status.FAILED_PRECONDITION, f"can't read {file.path}: {error.strerror}") from error
        try:
            remaining = file.size  # a file that grows meanwhile is sent as it was announced
            while remaining and (data := os.read(descriptor, min(READ_BYTES, remaining))):
                remaining -= len(data)
                await self._out.add(Packet(type=Packet.PACKET_DATA, ID=number, data=data).SerializeToString())
        except OSError as error:
            raise GRPCError(Status.FAILED_PRECONDITION, f"can't read {file.path}: {error.strerror}") from error
        finally:
            os.close(descriptor)
        await self._out.add(Packet(type=Packet.PACKET_DATA, ID=number).SerializeToString())


def _values(stream: Stream[Any, Any], key: str) -> Sequence[str]:
    """Return a list from the call's metadata; BuildKit quotes its values when one isn't ASCII."""
    values = metadata_values(stream, key)[:MAX_PATTERNS]
    if metadata_value(stream, f"{key}-encoded"):
        return [unquote_plus(value) for value in values]
    return values
