"""Messages of a stream in batches: build contexts travel as tens of thousands of small ones."""

from __future__ import annotations

import struct
from collections.abc import AsyncGenerator, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar, cast

from google.protobuf.message import DecodeError, Message

from pyd_core.buildkit.rpc.protocol import WindowedStream
from pyd_core.errors import ProtocolError

M = TypeVar("M", bound=Message)
_PREFIX = struct.Struct(">BI")


def pack(messages: Iterable[Message]) -> bytes:
    """Return messages as they travel, one after another."""
    parts: list[bytes] = []
    for message in messages:
        data = message.SerializeToString()
        parts += (_PREFIX.pack(0, len(data)), data)
    return b"".join(parts)


async def send_packed(stream: Any, data: bytes) -> None:
    """Send packed messages on a stream of either side, after its first message or its request was sent.

    Args:
        stream: A stream of `grpclib.client` or `grpclib.server`.
        data: What `pack` returned.
    """
    with _ended_with(stream):
        await wire(stream).send_data(data)


async def receive_batches(stream: Any, kind: type[M]) -> AsyncGenerator[list[M], None]:
    """Yield messages as they arrive, as many as have arrived at once, until the peer ends the stream.

    Raises:
        ProtocolError: What arrives is no such message.
    """
    buffer = wire(stream).buffer
    while True:
        with _ended_with(stream):
            messages = await buffer.read_messages()
        if not messages:
            return
        try:
            yield [kind.FromString(message) for message in messages]
        except DecodeError as error:
            raise ProtocolError(f"not a message of {kind.__name__}: {error}") from error


def _ended_with(stream: Any) -> AbstractContextManager[None]:
    """Return what makes a wait end with the stream: of a server's stream, that is around its whole call already."""
    return getattr(stream, "_wrapper", None) or nullcontext()


def wire(stream: Any) -> WindowedStream:
    """Return the HTTP/2 stream below a gRPC stream."""
    return cast("WindowedStream", stream._stream)  # noqa: SLF001 - grpclib sends and receives one message at a time only
