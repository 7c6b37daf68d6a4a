"""WebSocket connections, the client's side (RFC 6455)."""

from __future__ import annotations

import base64
import hashlib
import os
import struct
from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol

import msgspec

from pyd_core.client.transport.base import Response
from pyd_core.errors import ProtocolError, PydError, StreamInterrupted
from pyd_core.kube.cluster_api import ClusterApi, Query
from pyd_core.kube.failures import error_from

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
MAX_MESSAGE_BYTES = 16 * 2**20
"""A message is kept in memory until it is complete."""
MAX_CONTROL_BYTES = 125
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
NORMAL_CLOSE = 1000


class ByteStream(Protocol):
    """The connection below a WebSocket."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the response."""
        ...

    async def read(self, limit: int = 65536) -> bytes:
        """Return available bytes; empty at the end."""
        ...

    async def write(self, data: bytes) -> None:
        """Send all of `data`."""
        ...

    async def aclose(self) -> None:
        """Close the connection."""
        ...


class _Header(msgspec.Struct, frozen=True):
    final: bool
    opcode: int
    length: int
    size: int


def encode_frame(opcode: int, payload: bytes, *, mask: bytes | None = None) -> bytes:
    """Return a final frame, masked as clients must.

    Args:
        opcode: `BINARY`, `TEXT` or a control frame.
        payload: The data.
        mask: Four bytes; None draws them.
    """
    mask = os.urandom(4) if mask is None else mask
    length = len(payload)
    head = bytes([0x80 | opcode])
    if length < 126:
        head += bytes([0x80 | length])
    elif length < 1 << 16:
        head += b"\xfe" + struct.pack("!H", length)
    else:
        head += b"\xff" + struct.pack("!Q", length)
    return head + mask + apply_mask(payload, mask)


def apply_mask(payload: bytes, mask: bytes) -> bytes:
    """Return the payload under a mask; the same call removes it again."""
    length = len(payload)
    repeated = (mask * (length // 4 + 1))[:length]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(length, "big")


def parse_header(data: bytes) -> _Header | None:
    """Return the header of a server's frame; None while it is incomplete.

    Raises:
        ProtocolError: No server may send it.
    """
    if len(data) < 2:
        return None
    first, second = data[0], data[1]
    length, size = second & 0x7F, 2
    if first & 0x70 or second & 0x80:
        raise ProtocolError("the API server sends a malformed WebSocket frame")
    if length == 126:
        size = 4
        if len(data) < size:
            return None
        (length,) = struct.unpack("!H", data[2:4])
    elif length == 127:
        size = 10
        if len(data) < size:
            return None
        (length,) = struct.unpack("!Q", data[2:10])
    final, opcode = bool(first & 0x80), first & 0x0F
    if opcode >= CLOSE and (not final or length > MAX_CONTROL_BYTES):
        raise ProtocolError("the API server sends a malformed WebSocket frame")
    if length > MAX_MESSAGE_BYTES:
        raise ProtocolError("the API server sends a WebSocket frame that is too large")
    return _Header(final, opcode, length, size)


class WebSocket:
    """A connection that carries messages.

    Args:
        raw: The connection below, after the handshake.
        protocol: The subprotocol that the server chose.
    """

    def __init__(self, raw: ByteStream, protocol: str = "") -> None:
        self._raw = raw
        self.protocol = protocol
        self._buffer = b""
        self.closed = False
        """Whether either side has closed it."""

    async def receive(self) -> bytes | None:
        """Return the next message; None once the server has closed the connection.

        Raises:
            StreamInterrupted: The connection ended without a close.
            ProtocolError: The server breaks the protocol.
        """
        parts: list[bytes] = []
        size = 0
        started = False
        while True:
            header, payload = await self._frame()
            if header.opcode == CLOSE:
                if not self.closed:
                    self.closed = True
                    with suppress(PydError):
                        await self._raw.write(encode_frame(CLOSE, payload[:2]))
                return None
            if header.opcode == PING:
                await self._raw.write(encode_frame(PONG, payload))
                continue
            if header.opcode == PONG:
                continue
            if (header.opcode == CONTINUATION) != started or header.opcode not in {CONTINUATION, TEXT, BINARY}:
                raise ProtocolError("the API server sends WebSocket frames out of order")
            started = True
            size += len(payload)
            if size > MAX_MESSAGE_BYTES:
                raise ProtocolError("the API server sends a WebSocket message that is too large")
            parts.append(payload)
            if header.final:
                return b"".join(parts)

    async def send(self, data: bytes) -> None:
        """Send a binary message."""
        if self.closed:
            raise StreamInterrupted("the API server closed the connection")
        await self._raw.write(encode_frame(BINARY, data))

    async def aclose(self) -> None:
        """Close the connection."""
        if not self.closed:
            self.closed = True
            with suppress(PydError):
                await self._raw.write(encode_frame(CLOSE, struct.pack("!H", NORMAL_CLOSE)))
        await self._raw.aclose()

    async def _frame(self) -> tuple[_Header, bytes]:
        while (header := parse_header(self._buffer)) is None:
            await self._fill()
        end = header.size + header.length
        if len(self._buffer) < end:
            parts, size = [self._buffer], len(self._buffer)
            while size < end:
                data = await self._raw.read()
                if not data:
                    raise _cut()
                parts.append(data)
                size += len(data)
            self._buffer = b"".join(parts)
        payload = self._buffer[header.size : end]
        self._buffer = self._buffer[end:]
        return header, payload

    async def _fill(self) -> None:
        data = await self._raw.read()
        if not data:
            raise _cut()
        self._buffer += data


def _cut() -> StreamInterrupted:
    return StreamInterrupted("the API server closed the connection", hint="check the cluster and the network")


async def open_websocket(api: ClusterApi, path: str, query: Query, protocols: tuple[str, ...]) -> WebSocket:
    """Open a WebSocket with the first of some subprotocols that the server knows.

    Servers choose from a list by their own order, and one that knows none answers 403 with an empty body. So each is
    offered on its own.

    Raises:
        PydError: The server refused.
    """
    for protocol in protocols:
        key = base64.b64encode(os.urandom(16))
        headers = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": key.decode(),
            "Sec-WebSocket-Protocol": protocol,
        }
        result = await api.upgrade(path, query, headers)
        if not isinstance(result, Response):
            if result.headers.get("sec-websocket-accept", "") != accept_key(key):
                await result.aclose()
                raise ProtocolError(
                    f"{api.where} doesn't accept WebSockets", hint="a proxy in between may not support them"
                )
            return WebSocket(result, result.headers.get("sec-websocket-protocol", ""))
        if result.status != 403 or result.body.strip():
            raise error_from(result.status, result.body, where=api.where)
    # The API server explains a refusal by RBAC; an empty 403 to every protocol is another's.
    raise ProtocolError(
        f"{api.where} refuses WebSocket connections",
        hint="a proxy in between may not support them; use the API server's own address",
    )


def accept_key(key: bytes) -> str:
    """Return the value with which a server proves that it understood the handshake (RFC 6455, section 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key + _MAGIC).digest()).decode()  # noqa: S324 - the protocol's, not for secrecy
