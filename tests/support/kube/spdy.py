"""SPDY/3.1 as kubectl speaks it for port-forward, and for exec where WebSocket is refused."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator
from typing import Protocol

SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS, WINDOW_UPDATE = 1, 2, 3, 4, 6, 7, 8, 9
FIN = 1
MAX_FRAME_BYTES = 1 << 24

_WORDS = (
    "options|head|post|put|delete|trace|accept|accept-charset|accept-encoding|accept-language|accept-ranges|"
    "age|allow|authorization|cache-control|connection|content-base|content-encoding|content-language|"
    "content-length|content-location|content-md5|content-range|content-type|date|etag|expect|expires|from|"
    "host|if-match|if-modified-since|if-none-match|if-range|if-unmodified-since|last-modified|location|"
    "max-forwards|pragma|proxy-authenticate|proxy-authorization|range|referer|retry-after|server|te|trailer|"
    "transfer-encoding|upgrade|user-agent|vary|via|warning|www-authenticate|method|get|status|200 OK|version|"
    "HTTP/1.1|url|public|set-cookie|keep-alive|origin"
)
"""Words of the dictionary (SPDY/3 draft, 2.6.10.1), each preceded by its length there."""

_TAIL = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authorit"
    "ative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Fo"
    "und500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept"
    " Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gi"
    "f,application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchc"
    "harset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)

DICTIONARY = b"".join(struct.pack("!I", len(word)) + word.encode() for word in _WORDS.split("|")) + _TAIL.encode()


class Pipe(Protocol):
    """The connection beneath: a socket, or the messages of a WebSocket."""

    async def read(self, size: int) -> bytes:
        """Return exactly this number of bytes.

        Raises:
            EOFError: It ended before.
        """

    async def write(self, data: bytes) -> None:
        """Send bytes."""


class SpdyStream:
    """A stream that the client opened.

    Attributes:
        id: Its number.
        headers: What the client said about it.
    """

    def __init__(self, session: SpdySession, number: int, headers: dict[str, str]) -> None:
        self._session = session
        self.id = number
        self.headers = headers
        self._incoming: asyncio.Queue[bytes | None] = asyncio.Queue()

    def feed(self, data: bytes | None) -> None:
        """Add what arrived; None is its end."""
        self._incoming.put_nowait(data)

    async def read(self) -> bytes:
        """Return what arrives next; empty at the end."""
        return await self._incoming.get() or b""

    async def send(self, data: bytes, *, end: bool = False) -> None:
        """Send data, and close this direction where `end` is set."""
        await self._session.send_data(self.id, data, end=end)


class SpdySession:
    """The server's side of a SPDY connection."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._streams: dict[int, SpdyStream] = {}
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)
        self._sending = asyncio.Lock()

    async def streams(self) -> AsyncIterator[SpdyStream]:
        """Serve the connection until it ends, and yield each stream that the client opens."""
        try:
            while True:
                stream = await self._frame()
                if stream is not None:
                    yield stream
        except EOFError:
            pass
        finally:
            for stream in self._streams.values():
                stream.feed(None)

    async def _frame(self) -> SpdyStream | None:
        first, rest = struct.unpack("!II", await self._pipe.read(8))
        flags, size = rest >> 24, rest & 0xFFFFFF
        data = await self._pipe.read(size)
        if not first >> 31:
            self._data(first, data, flags)
            return None
        match first & 0xFFFF:
            case 1:
                return await self._opened(data, flags)
            case 6:
                await self._control(PING, data)
            case 3:
                stream = self._streams.pop(struct.unpack("!I", data[:4])[0], None)
                if stream is not None:
                    stream.feed(None)
            case 8:
                self._headers(data[4:])  # its compression is one stream with that of the others
            case 7:
                raise EOFError
        return None

    def _data(self, number: int, data: bytes, flags: int) -> None:
        stream = self._streams.get(number)
        if stream is None:
            return
        if data:
            stream.feed(data)
        if flags & FIN:
            stream.feed(None)

    async def _opened(self, data: bytes, flags: int) -> SpdyStream:
        number = struct.unpack("!I", data[:4])[0] & 0x7FFFFFFF
        stream = SpdyStream(self, number, self._headers(data[10:]))
        self._streams[number] = stream
        if flags & FIN:
            stream.feed(None)
        block = self._deflate.compress(struct.pack("!I", 0)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        await self._control(SYN_REPLY, struct.pack("!I", number) + block)
        return stream

    def _headers(self, block: bytes) -> dict[str, str]:
        plain = self._inflate.decompress(block, MAX_FRAME_BYTES)
        (count,), position = struct.unpack("!I", plain[:4]), 4
        texts = []
        for _ in range(2 * count):
            (size,) = struct.unpack("!I", plain[position : position + 4])
            texts.append(plain[position + 4 : position + 4 + size].decode())
            position += 4 + size
        return dict(zip(texts[::2], texts[1::2], strict=True))

    async def _control(self, kind: int, data: bytes, flags: int = 0) -> None:
        async with self._sending:
            await self._pipe.write(struct.pack("!HHI", 0x8003, kind, flags << 24 | len(data)) + data)

    async def send_data(self, number: int, data: bytes, *, end: bool) -> None:
        """Send a data frame."""
        async with self._sending:
            await self._pipe.write(struct.pack("!II", number, (FIN if end else 0) << 24 | len(data)) + data)

    async def close(self) -> None:
        """Announce the end."""
        await self._control(GOAWAY, struct.pack("!II", max(self._streams, default=0), 0))
