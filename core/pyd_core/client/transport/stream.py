"""Streamed responses and raw connections over a local socket: one connection each, without an HTTP library."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.transport import failures
from pyd_core.client.transport.base import ApiRequest, Response, Stream
from pyd_core.client.transport.body import BodyDecoder, BodyError
from pyd_core.client.transport.head import SWITCHING_PROTOCOLS, HeadDecoder, HeadError, ResponseHead, encode_head
from pyd_core.errors import StreamInterrupted

MAX_CHUNK_BYTES = 2**18
"""Bytes handed on at once at most."""


@asynccontextmanager
async def open_stream(
    request: ApiRequest, path: Path, endpoint: Endpoint, connect_timeout: float
) -> AsyncIterator[Stream]:
    """Send a request with a body in memory and hand over the answer as soon as its headers are there."""
    reader, writer = await _connect(path, endpoint, connect_timeout)
    try:
        exchange = _Exchange(reader, endpoint)
        await exchange.begin_in_time(request, writer)
        yield exchange
    finally:
        writer.transport.abort()  # the rest isn't needed


async def open_duplex(
    request: ApiRequest, path: Path, endpoint: Endpoint, connect_timeout: float
) -> LocalDuplex | Response:
    """Send a request that asks for the raw connection; a `Response` is the engine's refusal."""
    reader, writer = await _connect(path, endpoint, connect_timeout)
    handed_over = False
    try:
        exchange = _Exchange(reader, endpoint)
        await exchange.begin_in_time(request, writer)
        if exchange.is_raw:
            handed_over = True
            return LocalDuplex(reader, writer, exchange.take_rest(), exchange.headers)
        body = b"".join([chunk async for chunk in exchange.chunks()])
        return Response(status=exchange.status, headers=exchange.headers, body=body)
    finally:
        if not handed_over:
            writer.transport.abort()


async def _connect(
    path: Path, endpoint: Endpoint, connect_timeout: float
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        async with asyncio.timeout(connect_timeout):
            return await asyncio.open_unix_connection(path, limit=MAX_CHUNK_BYTES)
    except TimeoutError as error:
        raise failures.unreachable(None, f"no connection within {connect_timeout:g} s", endpoint) from error
    except OSError as error:
        raise failures.unreachable(error.errno, error.strerror or str(error), endpoint) from error


class LocalDuplex:
    """A local connection taken over from HTTP.

    Args:
        reader: Its streams.
        writer: As above.
        arrived: Data that came with the response's headers.
        headers: The response's headers.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, arrived: bytes, headers: Mapping[str, str]
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._arrived = arrived
        self.headers = headers

    def take_over(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
        """Return the streams and what has arrived; nothing is read or written here from now on."""
        arrived, self._arrived = self._arrived, b""
        return self._reader, self._writer, arrived

    async def read(self, limit: int = 65536) -> bytes:
        """Return available data, at most `limit` bytes; empty at the end."""
        if self._arrived:
            data, self._arrived = self._arrived[:limit], self._arrived[limit:]
            return data
        try:
            return await self._reader.read(limit)
        except OSError as error:
            raise StreamInterrupted("the engine closed the connection") from error

    async def write(self, data: bytes) -> None:
        """Send all of `data`."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except (OSError, RuntimeError) as error:  # asyncio raises the latter on a connection that was closed here
            raise StreamInterrupted("the engine closed the connection") from error

    async def close_write(self) -> None:
        """Signal the end of input to the other side and keep reading."""
        with suppress(OSError, RuntimeError):  # it may have ended already, and then knows
            self._writer.write_eof()

    async def aclose(self) -> None:
        """Close the connection."""
        self._writer.close()


class _Exchange:
    """A request and its response; also the `Stream` that the caller gets."""

    def __init__(self, reader: asyncio.StreamReader, endpoint: Endpoint) -> None:
        self._reader = reader
        self._endpoint = endpoint
        self._arrived = b""
        self._method = ""
        self.status = 0
        self.headers: Mapping[str, str] = {}

    @property
    def is_raw(self) -> bool:
        """Whether the engine handed over the connection."""
        return self.status == SWITCHING_PROTOCOLS

    def take_rest(self) -> bytes:
        """Return the data after the headers of a response that handed over the connection."""
        rest, self._arrived = self._arrived, b""
        return rest

    async def begin_in_time(self, request: ApiRequest, writer: asyncio.StreamWriter) -> None:
        """Begin, within the request's time limit."""
        try:
            async with asyncio.timeout(request.timeout):
                await self.begin(request, writer)
        except TimeoutError as error:
            raise failures.timed_out(self._endpoint, request.timeout) from error

    async def begin(self, request: ApiRequest, writer: asyncio.StreamWriter) -> None:
        """Send the request and read the status and headers of the response."""
        self._method = request.method
        writer.write(encode_head(request) + (request.body if isinstance(request.body, bytes) else b""))
        try:
            await writer.drain()
            self.status, self.headers, self._arrived = await self._head()
        except HeadError as error:
            raise failures.not_http(self._endpoint, str(error)) from error
        except OSError as error:
            raise failures.closed_early(self._endpoint) from error

    async def _head(self) -> ResponseHead:
        decoder = HeadDecoder()
        while data := await self._reader.read(MAX_CHUNK_BYTES):
            if head := decoder.feed(data):
                return head
        raise failures.closed_early(self._endpoint)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body in pieces as they arrive."""
        try:
            body = BodyDecoder(self.headers, self.status, self._method)
            data, self._arrived = self._arrived, b""
            while True:
                if part := body.feed(data):
                    yield part
                if body.ended:
                    return
                data = await self._reader.read(MAX_CHUNK_BYTES)
                if not data:
                    break
            if not body.until_close:
                raise failures.interrupted(self._endpoint)
        except BodyError as error:
            raise failures.not_http(self._endpoint, str(error)) from error
        except OSError as error:
            raise failures.interrupted(self._endpoint) from error
