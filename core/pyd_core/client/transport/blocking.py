"""Blocking transport over a local socket without an event loop, for one-shot commands.

Importing asyncio and httpx takes longer than all the work of such a command. Here the same API objects run on a plain
socket: the methods are still coroutines, but nothing in them ever suspends, so `run_now` drives them to their end.
One-shot commands over TCP or ssh use the asynchronous transports.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.transport import failures
from pyd_core.client.transport.base import ApiRequest, Duplex, Response, Stream
from pyd_core.client.transport.body import BodyDecoder, BodyError
from pyd_core.client.transport.head import HeadDecoder, HeadError, ResponseHead, encode_chunk, encode_head
from pyd_core.errors import InvalidInput

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient

T = TypeVar("T")

CHUNK_BYTES = 65536


def run_now(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends, such as any call of an engine over a `BlockingTransport`.

    Raises:
        RuntimeError: It did suspend: something in it needs an event loop.
    """
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    raise RuntimeError(f"{coroutine!r} waits for an event loop")


def blocking_engine(endpoint: Endpoint) -> EngineClient:
    """Return a client for `run_now` of the engine at a `unix://` endpoint.

    Raises:
        InvalidInput: The endpoint is not a local socket.
    """
    from pyd_core.client.engine_client import EngineClient  # noqa: PLC0415 - callers that need one API only don't load the others

    return EngineClient(endpoint, BlockingTransport(endpoint))


class BlockingTransport:
    """A transport on blocking sockets, a connection for each request: on a local socket that costs microseconds."""

    def __init__(self, endpoint: Endpoint) -> None:
        path = endpoint.socket_path
        if path is None:
            raise InvalidInput(f"not a local socket: {endpoint.url}")
        self._endpoint = endpoint
        self._path = str(path)

    async def request(self, request: ApiRequest) -> Response:
        """Send a request and return the complete response."""
        async with self.stream(request) as stream:
            body = b"".join([chunk async for chunk in stream.chunks()])
            return Response(status=stream.status, headers=stream.headers, body=body)

    @asynccontextmanager
    async def stream(self, request: ApiRequest) -> AsyncIterator[Stream]:
        """Send a request and yield the response once its headers have arrived."""
        exchange = _Exchange(self._endpoint, self._path, request.timeout)
        try:
            await exchange.send(request)
            yield exchange
        finally:
            exchange.close()

    async def upgrade(self, request: ApiRequest) -> Duplex | Response:
        """Take over the raw connection; the caller closes it."""
        exchange = _Exchange(self._endpoint, self._path, request.timeout)
        handed_over = False
        try:
            await exchange.send(request)
            if exchange.is_raw:
                handed_over = True
                return BlockingDuplex(exchange.socket, exchange.trailing, exchange.headers, self._endpoint)
            body = b"".join([chunk async for chunk in exchange.chunks()])
            return Response(status=exchange.status, headers=exchange.headers, body=body)
        finally:
            if not handed_over:
                exchange.close()

    async def aclose(self) -> None:
        """Does nothing: every connection ended with its request."""


class _Exchange:
    """A request and its response on a connection of their own; also the `Stream` that the caller gets."""

    def __init__(self, endpoint: Endpoint, path: str, timeout: float | None) -> None:
        self._endpoint = endpoint
        self._timeout = timeout
        self._method = ""
        self.socket = socket.socket(socket.AF_UNIX)
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.is_raw = False
        self._rest = b""
        try:
            self.socket.settimeout(timeout)
            self.socket.connect(path)
        except OSError as error:
            self.socket.close()
            raise failures.unreachable(error.errno, error.strerror or str(error), endpoint) from error

    def close(self) -> None:
        self.socket.close()

    @property
    def trailing(self) -> bytes:
        """The bytes after the headers of a response that handed over the connection."""
        return self._rest

    async def send(self, request: ApiRequest) -> None:
        """Send the request and read the status and headers of the response."""
        self._method, body = request.method, request.body
        try:
            self.socket.sendall(encode_head(request))
            if isinstance(body, bytes):
                self.socket.sendall(body)
            else:
                async for chunk in body:
                    if chunk:
                        self.socket.sendall(encode_chunk(chunk))
                self.socket.sendall(encode_chunk(b""))
        except TimeoutError as error:
            raise failures.timed_out(self._endpoint, self._timeout) from error
        except OSError:
            pass  # an engine that says no early closes its reading side; its answer may be waiting
        head = self._head()
        self.status, self.headers, self._rest = head
        self.is_raw = head.is_raw

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            body = BodyDecoder(self.headers, self.status, self._method)
            data = self._rest
            while True:
                if part := body.feed(data):
                    yield part
                if body.ended:
                    return
                data = self.socket.recv(CHUNK_BYTES)
                if not data:
                    break
            if not body.until_close:
                raise failures.interrupted(self._endpoint)
        except BodyError as error:
            raise failures.not_http(self._endpoint, str(error)) from error
        except TimeoutError as error:
            raise failures.timed_out(self._endpoint, self._timeout) from error
        except OSError as error:
            raise failures.interrupted(self._endpoint) from error

    def _head(self) -> ResponseHead:
        decoder = HeadDecoder()
        try:
            while True:
                data = self.socket.recv(CHUNK_BYTES)
                if not data:
                    raise failures.closed_early(self._endpoint)
                if head := decoder.feed(data):
                    return head
        except HeadError as error:
            raise failures.not_http(self._endpoint, str(error)) from error
        except TimeoutError as error:
            raise failures.timed_out(self._endpoint, self._timeout) from error
        except OSError as error:
            raise failures.closed_early(self._endpoint) from error


class BlockingDuplex:
    """A connection taken over from HTTP, for `run_now`; `fileno` lets a caller wait on it beside a terminal."""

    def __init__(
        self, connection: socket.socket, arrived: bytes, headers: Mapping[str, str], endpoint: Endpoint
    ) -> None:
        self._socket = connection
        self._socket.settimeout(None)
        self._arrived = arrived
        self._endpoint = endpoint
        self.headers = headers

    def fileno(self) -> int:
        """Return the descriptor to wait on, once `pending` is empty."""
        return self._socket.fileno()

    def take_over(self) -> tuple[socket.socket, bytes]:
        """Return another descriptor of the connection, and what has arrived; nothing is read here from now on."""
        arrived, self._arrived = self._arrived, b""
        return self._socket.dup(), arrived

    @property
    def pending(self) -> bool:
        """Whether `read` has something already, whatever the descriptor says."""
        return bool(self._arrived)

    async def read(self, limit: int = CHUNK_BYTES) -> bytes:
        """Return what has arrived, at most `limit` bytes; empty at the end."""
        if self._arrived:
            data, self._arrived = self._arrived[:limit], self._arrived[limit:]
            return data
        try:
            return self._socket.recv(limit)
        except OSError as error:
            raise failures.interrupted(self._endpoint) from error

    async def write(self, data: bytes) -> None:
        """Send all of `data`."""
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise failures.interrupted(self._endpoint) from error

    async def close_write(self) -> None:
        """Signal the end of input to the other side and keep reading."""
        with contextlib.suppress(OSError):  # it may have ended already, and then knows
            self._socket.shutdown(socket.SHUT_WR)

    async def aclose(self) -> None:
        """Close the connection."""
        self._socket.close()
