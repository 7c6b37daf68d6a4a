"""HTTP and WebSocket as a scripted API server speaks them, over asyncio's streams."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import struct
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass
class Request:
    """A request, with its query decoded."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes = b""

    def text(self, name: str, default: str = "") -> str:
        """Return a parameter's first value."""
        return self.query.get(name, [default])[0]

    def flag(self, name: str) -> bool:
        """Return whether a parameter is set as Go reads it."""
        return self.text(name).lower() in {"1", "t", "true"}


@dataclass
class Answer:
    """A complete answer."""

    status: int
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return it as bytes of HTTP/1.1."""
        plain = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode() + b"\n"
        kind = "text/plain" if isinstance(self.body, bytes) else "application/json"
        # An answer without a body must not change what a client has cached of the one before.
        content = {} if self.status in {204, 304} else {"Content-Type": kind, "Content-Length": str(len(plain))}
        headers = {**content, "Date": DATE, **self.headers}
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Status')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + plain


DATE = "Mon, 30 Nov 2026 23:18:39 GMT"


def status(code: int, reason: str, message: str, **more: Any) -> Answer:
    """Return an error as the API server words it."""
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
    return Answer(code, {**body, "reason": reason, "code": code, **more})


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """Read a request; None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    headers: dict[str, str] = {}
    for name, _, value in (line.partition(":") for line in lines if line):
        key = name.lower()
        headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
    body = b""
    if length := int(headers.get("content-length", "0")):
        body = await reader.readexactly(length)
    elif headers.get("transfer-encoding") == "chunked":
        while size := int((await reader.readline()).strip() or b"0", 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    parts = urlsplit(target)
    return Request(method, unquote(parts.path), parse_qs(parts.query, keep_blank_values=True), headers, body)


class Chunked:
    """A streamed answer."""

    def __init__(self, writer: asyncio.StreamWriter, *, kind: str = "application/json") -> None:
        self._writer = writer
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nDate: {DATE}\r\nTransfer-Encoding: chunked\r\n\r\n"
        writer.write(head.encode())

    async def send(self, data: bytes) -> None:
        """Send a piece."""
        if data:
            self._writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            await self._writer.drain()

    async def end(self) -> None:
        """End the answer."""
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()


class ServerSocket:
    """The server's side of a WebSocket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def accept(self, request: Request, protocol: str) -> None:
        """Answer the handshake."""
        key = request.headers["sec-websocket-key"].encode()
        proof = base64.b64encode(hashlib.sha1(key + MAGIC).digest()).decode()  # noqa: S324 - the protocol's
        chosen = f"Sec-WebSocket-Protocol: {protocol}\r\n" if protocol else ""
        head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self._writer.write(f"{head}Sec-WebSocket-Accept: {proof}\r\n{chosen}\r\n".encode())
        await self._writer.drain()

    async def send(self, data: bytes, *, opcode: int = 2, final: bool = True) -> None:
        """Send a frame."""
        head = bytes([(0x80 if final else 0) | opcode])
        if len(data) < 126:
            head += bytes([len(data)])
        elif len(data) < 1 << 16:
            head += b"\x7e" + struct.pack("!H", len(data))
        else:
            head += b"\x7f" + struct.pack("!Q", len(data))
        self._writer.write(head + data)
        await self._writer.drain()

    async def receive(self) -> tuple[int, bytes] | None:
        """Return the opcode and data of the client's next frame; None at the end."""
        try:
            first, second = await self._reader.readexactly(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", await self._reader.readexactly(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", await self._reader.readexactly(8))
            assert second & 0x80, "a client must mask its frames"
            mask = await self._reader.readexactly(4)
            data = await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return first & 0x0F, bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))

    async def close(self) -> None:
        """Close the connection normally."""
        await self.send(struct.pack("!H", 1000), opcode=8)
