"""Exports to a client over its session: `FileSend.DiffCopy`, for single files and for directories."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from typing import Any

from pyd_core.buildkit.proto.filesync_grpc import FileSendStub
from pyd_core.buildkit.proto.filesync_pb2 import BytesMessage
from pyd_core.buildkit.proto.fsutil_stat_pb2 import Stat
from pyd_core.buildkit.proto.fsutil_wire_pb2 import Packet
from pyd_core.buildkit.rpc.channel import AdoptedChannel, calls
from pyd_core.buildkit.rpc.messages import pack, receive_batches, send_packed
from pyd_core.daemon.build.session.file_modes import to_go
from pyd_core.errors import EngineError, ProtocolError
from pyd_core.linux.openat2 import open_in_root
from pyd_core.sanitise import safe

METADATA_PREFIX = "exporter-md-"
EXPORTER_HEADER = "buildkit-attachable-exporter-id"
"""The number of the exporter that sends, for clients with several."""
PIECE_BYTES = 32 << 10
"""Clients have buffers of this size for each piece of a file."""
SEND_BYTES = 1 << 20
_FIN = Packet(type=Packet.PACKET_FIN)


def export_metadata(metadata: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return an exporter's response as metadata of the call; clients get the values by name."""
    return [(f"{METADATA_PREFIX}{name.lower()}", value) for name, value in metadata.items() if value.isascii()]


async def send_file(
    channel: AdoptedChannel, chunks: AsyncIterator[bytes], metadata: Mapping[str, str], *, exporter: int = 0
) -> None:
    """Send a file; it ends with the call.

    Raises:
        PydError: The client refused it, or is gone.
    """
    with calls():
        async with FileSendStub(channel).DiffCopy.open(
            metadata=[*export_metadata(metadata), (EXPORTER_HEADER, str(exporter))]
        ) as stream:
            await stream.send_request()
            async for chunk in chunks:
                for start in range(0, len(chunk), SEND_BYTES):
                    await stream.send_message(BytesMessage(data=chunk[start : start + SEND_BYTES]))
            await stream.end()
            while await stream.recv_message() is not None:
                pass


async def send_directory(
    channel: AdoptedChannel, root_fd: int, metadata: Mapping[str, str], *, exporter: int = 0
) -> None:
    """Send the content of a directory; the client requests the files that it lacks, which are all.

    Raises:
        PydError: The client refused it, or is gone.
    """
    with calls():
        async with FileSendStub(channel).DiffCopy.open(
            metadata=[*export_metadata(metadata), (EXPORTER_HEADER, str(exporter))]
        ) as stream:
            await stream.send_request()
            await _Sender(stream, root_fd).run()
            await stream.end()
            while await stream.recv_message() is not None:
                pass


class _Sender:
    """The sending side of fsutil's protocol, see `tree_receiver`."""

    def __init__(self, stream: Any, root_fd: int) -> None:
        self._stream = stream
        self._root = root_fd
        self._files: list[str | None] = []
        """The path of each announced entry that is a regular file."""

    async def run(self) -> None:
        announced = await asyncio.to_thread(lambda: list(walk(self._root)))
        self._files = [entry.path if is_file and not entry.linkname else None for entry, is_file in announced]
        for start in range(0, len(announced), 1024):
            part = announced[start : start + 1024]
            await send_packed(self._stream, pack(Packet(type=Packet.PACKET_STAT, stat=entry) for entry, _ in part))
        await send_packed(self._stream, pack([Packet(type=Packet.PACKET_STAT)]))
        async with aclosing(receive_batches(self._stream, Packet)) as batches:
            async for packets in batches:
                for packet in packets:
                    if packet.type == Packet.PACKET_REQ:
                        await self._file(packet.ID)
                    elif packet.type == Packet.PACKET_FIN:
                        await send_packed(self._stream, pack([_FIN]))
                        return
                    elif packet.type == Packet.PACKET_ERR:
                        text = safe(packet.data[:500].decode(errors="replace"))
                        raise EngineError(f"the client can't write the files: {text}")

    async def _file(self, number: int) -> None:
        path = self._files[number] if number < len(self._files) else None
        if path is None:
            raise ProtocolError("the client requests a file that wasn't announced")
        self._files[number] = None  # each one once
        fd = await asyncio.to_thread(open_in_root, self._root, path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            while data := await asyncio.to_thread(os.read, fd, SEND_BYTES):
                pieces = (data[start : start + PIECE_BYTES] for start in range(0, len(data), PIECE_BYTES))
                packets = (Packet(type=Packet.PACKET_DATA, ID=number, data=piece) for piece in pieces)
                await send_packed(self._stream, pack(packets))
        finally:
            os.close(fd)
        await send_packed(self._stream, pack([Packet(type=Packet.PACKET_DATA, ID=number)]))


def walk(root_fd: int) -> Iterator[tuple[Stat, bool]]:
    """Yield what is below a directory, each directory before its content and names in order; nothing is followed.

    Each comes with whether it is a regular file. Names that aren't UTF-8 can't travel: the protocol's paths are text.

    Raises:
        EngineError: A name isn't UTF-8.
    """
    links: dict[tuple[int, int], str] = {}
    pending = [""]
    while pending:
        path = pending.pop()
        if path:
            parent, _, name = path.rpartition("/")
            above = open_in_root(root_fd, parent, os.O_PATH | os.O_DIRECTORY)
            try:
                info = os.stat(name, dir_fd=above, follow_symlinks=False)
                link = os.readlink(name, dir_fd=above) if stat.S_ISLNK(info.st_mode) else ""
            finally:
                os.close(above)
            if stat.S_ISSOCK(info.st_mode):
                continue
            if stat.S_ISREG(info.st_mode) and info.st_nlink > 1:
                first = links.setdefault((info.st_dev, info.st_ino), path)
                link = first if first != path else ""
            yield _announcement(path, info, link), stat.S_ISREG(info.st_mode)
            if not stat.S_ISDIR(info.st_mode):
                continue
        directory = open_in_root(root_fd, path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            with os.scandir(directory) as scan:
                names = sorted((entry.name for entry in scan), reverse=True)
        finally:
            os.close(directory)
        pending += (f"{path}/{name}" if path else name for name in names)


def _announcement(path: str, info: os.stat_result, link: str) -> Stat:
    try:
        path.encode()
        link.encode()
    except UnicodeEncodeError:
        raise EngineError(f"{safe(path[:200])!r} can't be exported: its name isn't UTF-8") from None
    return Stat(
        path=path,
        mode=to_go(info.st_mode),
        uid=info.st_uid,
        gid=info.st_gid,
        size=info.st_size if stat.S_ISREG(info.st_mode) else 0,
        modTime=info.st_mtime_ns,
        linkname=link,
        devmajor=os.major(info.st_rdev),
        devminor=os.minor(info.st_rdev),
    )
