"""Websocket connections (RFC 6455): the handshake, and frames in both directions."""

from __future__ import annotations

import asyncio
import base64
import hashlib

from pyd_core.daemon.api.http import HttpRequest
from pyd_core.daemon.duplex import UpgradedConnection
from pyd_core.errors import InvalidInput

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MAX_FRAME_BYTES = 1 << 20
"""The largest frame from a client."""

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
_CONTINUED = 0


def handshake(request: HttpRequest) -> bytes:
    """Return the head that turns a connection into a websocket.

    Raises:
        InvalidInput: The client asks for something else.
    """
    key = request.headers.get("sec-websocket-key", "")
    if request.headers.get("upgrade", "").lower() != "websocket" or len(key) != 24:
        raise InvalidInput("this is served to websockets alone: Upgrade: websocket with a Sec-WebSocket-Key is needed")
    if request.headers.get("sec-websocket-version") != "13":
        raise InvalidInput("Sec-WebSocket-Version must be 13")
    proof = base64.b64encode(hashlib.sha1(key.encode() + _MAGIC, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + proof + b"\r\n\r\n"
    )


def frame(kind: int, data: bytes) -> bytes:
    """Frame data for a client."""
    size = len(data)
    if size < 126:
        head = bytes((0x80 | kind, size))
    elif size < 1 << 16:
        head = bytes((0x80 | kind, 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | kind, 127)) + size.to_bytes(8, "big")
    return head + data


class WebSocketWire(UpgradedConnection):
    """An upgraded connection that sends each piece in a frame.

    Args:
        wire: The connection after the handshake.
    """

    def __init__(self, wire: UpgradedConnection) -> None:
        super().__init__(wire.reader, wire.writer)
        self._early = bytearray(wire.trailing)

    def write(self, data: bytes) -> None:
        """Send a piece."""
        self.writer.write(frame(BINARY, data))

    async def read(self) -> bytes:
        """Return the client's next piece; empty once it closed, left, or broke the protocol."""
        while True:
            try:
                kind, data = await self._frame()
            except (asyncio.IncompleteReadError, ConnectionError, InvalidInput):
                self.writer.close()
                return b""
            if kind in {TEXT, BINARY, _CONTINUED}:
                if data:
                    return data
            elif kind == PING:
                self.writer.write(frame(PONG, data))
            elif kind == CLOSE:
                self.writer.write(frame(CLOSE, data[:2]))
                self.writer.close()
                return b""

    def finish(self) -> None:
        """Send the end."""
        if not self.closing:
            self.writer.write(frame(CLOSE, (1000).to_bytes(2, "big")))

    async def _frame(self) -> tuple[int, bytes]:
        first, second = await self._exactly(2)
        size = second & 0x7F
        if size >= 126:
            size = int.from_bytes(await self._exactly(2 if size == 126 else 8), "big")
        if not second & 0x80 or first & 0x70 or size > MAX_FRAME_BYTES:
            raise InvalidInput("a frame without a mask, with reserved bits, or too large")
        mask = await self._exactly(4)
        data = await self._exactly(size)
        whole = (mask * (size // 4 + 1))[:size]
        return first & 0x0F, (int.from_bytes(data, "big") ^ int.from_bytes(whole, "big")).to_bytes(size, "big")

    async def _exactly(self, count: int) -> bytes:
        early = bytes(self._early[:count])
        del self._early[:count]
        return early + await self.reader.readexactly(count - len(early))
