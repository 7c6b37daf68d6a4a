"""Many small gRPC messages in one write.

A message costs grpclib about 100 µs to send, most of it for the HTTP/2 frame around it. File trees are tens of
thousands of small messages, so they are framed here and sent together (gRPC over HTTP/2: length-prefixed messages).
"""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Any, Self

from pyd_core.buildkit.rpc.messages import send_packed

if TYPE_CHECKING:
    from grpclib.server import Stream

BATCH_BYTES = 64 * 1024
"""Bytes that are collected before they are sent."""

_PREFIX = struct.Struct(">BI")


class RawMessage:
    """A message that stays serialized, where one method carries several types.

    Attributes:
        data: The serialized message.
    """

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data

    def SerializeToString(self) -> bytes:  # noqa: N802 - the interface of Protocol Buffers
        """Return the data."""
        return self.data

    @classmethod
    def FromString(cls, data: bytes) -> Self:  # noqa: N802 - the interface of Protocol Buffers
        """Return a message of the data."""
        return cls(data)


class BatchWriter:
    """Collects messages to one stream, and sends them in order.

    Args:
        stream: The stream of a server's method.
    """

    def __init__(self, stream: Stream[Any, Any]) -> None:
        self._stream = stream
        self._pending = bytearray()
        self._lock = asyncio.Lock()
        self._started = False

    async def add(self, message: bytes) -> None:
        """Queue a serialized message; what is queued is sent once it fills a batch."""
        self._pending += _PREFIX.pack(0, len(message))
        self._pending += message
        if len(self._pending) >= BATCH_BYTES:
            await self.flush()

    async def flush(self) -> None:
        """Send what is queued."""
        async with self._lock:
            if not self._started:
                self._started = True
                await self._stream.send_initial_metadata()
            while self._pending:
                data = bytes(self._pending)
                self._pending.clear()
                await send_packed(self._stream, data)
