"""Requests of a client's directory over its session: `FileSync.DiffCopy`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any
from urllib.parse import quote_plus

from grpclib.exceptions import StreamTerminatedError
from h2.exceptions import StreamClosedError

from pyd_core.buildkit.proto.filesync_grpc import FileSyncStub
from pyd_core.buildkit.proto.fsutil_wire_pb2 import Packet
from pyd_core.buildkit.rpc.channel import AdoptedChannel, calls
from pyd_core.buildkit.rpc.messages import pack, receive_batches, send_packed
from pyd_core.daemon.build.interfaces import SyncedTree
from pyd_core.daemon.build.session.tree_receiver import TreeReceiver
from pyd_core.errors import InvalidInput
from pyd_core.tasks import TaskOwner

MAX_METADATA_BYTES = 4 << 20
"""Bound of all patterns of a request: they travel as headers."""


async def receive_directory(
    channel: AdoptedChannel,
    destination_fd: int,
    metadata: Sequence[tuple[str, str]],
    *,
    previous: SyncedTree | None,
    progress: Callable[[int, int], None] | None,
) -> SyncedTree:
    """Bring a directory to the state of a client's.

    Raises:
        PydError: The client has no such directory, sent what isn't one, or is gone.
    """
    receiver = TreeReceiver(destination_fd, previous.entries if previous is not None else None)
    try:
        with calls():
            try:
                async with FileSyncStub(channel).DiffCopy.open(metadata=list(metadata)) as stream:
                    await stream.send_request()
                    await _transfer(stream, receiver, progress)
            except (StreamTerminatedError, StreamClosedError):
                if not receiver.complete:  # else the client has just ended its side first
                    raise
    finally:
        receiver.close()
    return SyncedTree(entries=receiver.entries, transferred_bytes=receiver.transferred_bytes)


async def _transfer(stream: Any, receiver: TreeReceiver, progress: Callable[[int, int], None] | None) -> None:
    """Receive all packets, and send requests meanwhile: a client whose window is full takes no more of them."""
    requests: asyncio.Queue[list[Packet]] = asyncio.Queue()

    async def send() -> None:
        while packets := await requests.get():
            await send_packed(stream, pack(packets))
        await stream.end()

    async with TaskOwner(on_error=lambda _: None) as owner:
        sending = owner.start(send())
        async with aclosing(receive_batches(stream, Packet)) as batches:
            async for packets in batches:
                responses = await asyncio.to_thread(receiver.handle, packets)
                if responses:
                    requests.put_nowait(responses)
                if progress is not None:
                    progress(receiver.transferred_bytes, len(receiver.entries))
                if receiver.complete:
                    break
        if not receiver.complete:
            # the end of the call raises what the client reports in its place
            raise StreamTerminatedError("the client ended the transfer of its files early")
        requests.put_nowait([])
        await sending


def sync_metadata(name: str, patterns: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Return the metadata of a request: the directory's name, and each list of patterns as values of one key.

    BuildKit quotes the values of a key if one of them isn't ASCII, and says so in another key.

    Raises:
        InvalidInput: The patterns are too large to travel as headers.
    """
    metadata: list[tuple[str, str]] = []
    size = 0
    for key, values in {"dir-name": [name], **patterns}.items():
        quoted = not all(value.isascii() and value.isprintable() for value in values)
        if quoted:
            metadata.append((f"{key}-encoded", "1"))
        metadata += ((key, quote_plus(value) if quoted else value) for value in values)
        size += sum(len(value) + len(key) for value in values)
    if size > MAX_METADATA_BYTES:
        raise InvalidInput("the patterns that select files of the context are too large")
    return metadata
