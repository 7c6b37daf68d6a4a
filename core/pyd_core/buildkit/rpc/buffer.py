"""Received data of one gRPC stream, until it is read."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable

from pyd_core.errors import ProtocolError

MAX_MESSAGE_BYTES = 32 << 20
"""Larger messages are refused before they are received."""
_COMPACT_BYTES = 1 << 20
_PREFIX = struct.Struct(">BI")


class StreamBuffer:
    """Data of a stream; takes the place of grpclib's buffer.

    grpclib's buffer has a queue entry for each frame. This one is a byte string, and can return many messages at once.

    Args:
        acknowledge: Called with the number of bytes that were read, to widen the peer's window.
    """

    def __init__(self, acknowledge: Callable[[int], None]) -> None:
        self._acknowledge = acknowledge
        self._data = bytearray()
        self._offset = 0
        self._early = 0
        """The number of bytes after the offset that are acknowledged already."""
        self._ended = False
        self._waiter: asyncio.Future[None] | None = None

    def add(self, data: bytes | memoryview, _flow_controlled_bytes: int = 0) -> None:
        """Append received data."""
        self._data += data
        self._wake()

    def eof(self) -> None:
        """Mark the end: the peer sends no more."""
        self._ended = True
        self._wake()

    @property
    def ended(self) -> bool:
        """Whether the peer sends no more."""
        return self._ended

    def unacked_size(self) -> int:
        """Drop what wasn't read, and return 0: this buffer has its own acknowledgements."""
        size = len(self._data) - self._offset
        self._acknowledge_to(size)
        self._data, self._offset, self._early = bytearray(), 0, 0
        return 0

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _acknowledge_to(self, size: int) -> None:
        if size > self._early:
            self._acknowledge(size - self._early)
            self._early = size

    def _take(self, size: int) -> bytes:
        self._acknowledge_to(size)
        self._early -= size
        end = self._offset + size
        data = bytes(memoryview(self._data)[self._offset : end])
        self._offset = end
        if self._offset == len(self._data) or self._offset > _COMPACT_BYTES:
            del self._data[: self._offset]
            self._offset = 0
        return data

    async def read(self, size: int) -> bytes:
        """Return `size` bytes; nothing at the end of the stream.

        Raises:
            ProtocolError: The stream ended in the middle, or the size is beyond `MAX_MESSAGE_BYTES`.
        """
        if size > MAX_MESSAGE_BYTES:
            raise ProtocolError(f"a message of {size} bytes is too large")
        while (available := len(self._data) - self._offset) < size:
            if self._ended:
                if available:
                    raise ProtocolError("a message broke off")
                return b""
            self._acknowledge_to(available)  # a message may be larger than the window
            await self._wait()
        return self._take(size)

    async def read_messages(self) -> list[bytes]:
        """Return all messages that have arrived, at least one; none at the end of the stream.

        Raises:
            ProtocolError: The stream ended in the middle of a message, or a message is too large or compressed.
        """
        messages: list[bytes] = []
        view = memoryview(self._data)
        offset, end = self._offset, len(self._data)
        while end - offset >= _PREFIX.size:
            compressed, length = _PREFIX.unpack_from(view, offset)
            if compressed:
                raise ProtocolError("a message is compressed")
            if end - offset - _PREFIX.size < length:
                break
            offset += _PREFIX.size
            messages.append(bytes(view[offset : offset + length]))
            offset += length
        view.release()
        if messages:
            size = offset - self._offset
            self._acknowledge_to(size)
            self._early -= size
            del self._data[:offset]
            self._offset = 0
            return messages
        prefix = await self.read(_PREFIX.size)
        if not prefix:
            return []
        compressed, length = _PREFIX.unpack(prefix)
        if compressed:
            raise ProtocolError("a message is compressed")
        message = await self.read(length) if length else b""
        if length and not message:
            raise ProtocolError("a message broke off")
        return [message]
