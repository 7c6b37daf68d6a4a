"""Streamed responses over a local socket: one connection each, decoded only by `BodyDecoder`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.transport import failures
from pyd_core.client.transport.base import ApiRequest, Stream
from pyd_core.client.transport.body import BodyDecoder, BodyError
from pyd_core.client.transport.head import HeadDecoder, HeadError, ResponseHead, encode_head

MAX_CHUNK_BYTES = 2**18
"""Bytes handed on at once at most."""


@asynccontextmanager
async def open_stream(
    request: ApiRequest, path: Path, endpoint: Endpoint, connect_timeout: float
) -> AsyncIterator[Stream]:
    """Send a request with a body in memory and hand over the answer as soon as its headers are there."""
    try:
        async with asyncio.timeout(connect_timeout):
            reader, writer = await asyncio.open_unix_connection(path, limit=MAX_CHUNK_BYTES)
    except TimeoutError as error:
        raise failures.unreachable(None, f"no connection within {connect_timeout:g} s", endpoint) from error
    except OSError as error:
        raise failures.unreachable(error.errno, error.strerror or str(error), endpoint) from error
    try:
        exchange = _Exchange(reader, endpoint)
        try:
            async with asyncio.timeout(request.timeout):
                await exchange.begin(request, writer)
        except TimeoutError as error:
            raise failures.timed_out(endpoint, request.timeout) from error
        yield exchange
    finally:
        writer.transport.abort()  # the rest isn't needed


class _Exchange:
    """A request and its response; also the `Stream` that the caller gets."""

    def __init__(self, reader: asyncio.StreamReader, endpoint: Endpoint) -> None:
        self._reader = reader
        self._endpoint = endpoint
        self._arrived = b""
        self._method = ""
        self.status = 0
        self.headers: Mapping[str, str] = {}

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
