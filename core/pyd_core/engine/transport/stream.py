"""Streams over a local socket: a connection each, and nothing between its bytes and the body but `BodyDecoder`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import h11

from pyd_core.engine.endpoint import Endpoint
from pyd_core.engine.transport import failures
from pyd_core.engine.transport.base import Request, Stream
from pyd_core.engine.transport.body import BodyDecoder, BodyError

CHUNK = 2**18
"""Bytes handed on at once at most."""
LONGEST_HEAD = 100 * 1024
"""Bytes of status line and headers."""


@asynccontextmanager
async def open_stream(
    request: Request, path: Path, endpoint: Endpoint, connect_timeout: float
) -> AsyncIterator[Stream]:
    """Sends a request with a body in memory and hands over the answer as soon as its headers are there."""
    try:
        async with asyncio.timeout(connect_timeout):
            reader, writer = await asyncio.open_unix_connection(path, limit=CHUNK)
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
            raise failures.silent(endpoint, request.timeout) from error
        yield exchange
    finally:
        writer.transport.abort()  # what was sent is read, and nobody waits for the rest


class _Exchange:
    """One request and its answer; also the `Stream` handed to the caller."""

    def __init__(self, reader: asyncio.StreamReader, endpoint: Endpoint) -> None:
        self._reader = reader
        self._endpoint = endpoint
        self._arrived = b""
        self.status = 0
        self.headers: Mapping[str, str] = {}

    async def begin(self, request: Request, writer: asyncio.StreamWriter) -> None:
        """Sends the request and reads the answer's status and headers."""
        body = request.body if isinstance(request.body, bytes) else b""
        http = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)
        headers = {"Host": "engine", "Connection": "close", **request.headers, "Content-Length": str(len(body))}
        head = h11.Request(method=request.method, target=request.target, headers=list(headers.items()))
        writer.write((http.send(head) or b"") + body)
        try:
            await writer.drain()
            while not isinstance(event := http.next_event(), h11.Response):
                if event is h11.NEED_DATA:
                    data = await self._reader.read(CHUNK)
                    if not data:
                        raise failures.hung_up(self._endpoint)
                    http.receive_data(data)
        except h11.RemoteProtocolError as error:
            raise failures.not_http(self._endpoint, str(error)) from error
        except OSError as error:
            raise failures.hung_up(self._endpoint) from error
        self.status = event.status_code
        self.headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in event.headers}
        self._arrived = http.trailing_data[0]

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, in pieces of whatever has arrived at a time."""
        try:
            body = BodyDecoder(self.headers, self.status)
            data, self._arrived = self._arrived, b""
            while True:
                if part := body.feed(data):
                    yield part
                if body.ended:
                    return
                data = await self._reader.read(CHUNK)
                if not data:
                    break
            if not body.until_close:
                raise failures.cut(self._endpoint)
        except BodyError as error:
            raise failures.not_http(self._endpoint, str(error)) from error
        except OSError as error:
            raise failures.cut(self._endpoint) from error
