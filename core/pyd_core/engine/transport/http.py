"""Engines over a unix socket or TCP, on httpx."""

from __future__ import annotations

import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

# httpx loads its own command line (click, rich, pygments) when it is imported: 40 ms that no verb here has a use for.
# A name bound to None makes that one import fail, which httpx provides for.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
import httpx

from pyd_core.engine.endpoint import Endpoint
from pyd_core.engine.transport import failures
from pyd_core.engine.transport.base import Answer, Duplex, Request, Stream
from pyd_core.engine.transport.stream import open_stream
from pyd_core.errors import PydError, StreamCut

CONNECT_TIMEOUT = 10.0
"""Seconds to reach an engine's host."""


class HttpTransport:
    """A transport on httpx: one pool of connections to one endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=8)
        path = endpoint.socket_path
        if path is None:
            base = endpoint.url.replace("tcp://", "http://", 1)
            transport = httpx.AsyncHTTPTransport(limits=limits)
        else:
            base = "http://engine"
            transport = httpx.AsyncHTTPTransport(uds=str(path), limits=limits)
        self._client = httpx.AsyncClient(transport=transport, base_url=base, trust_env=False, follow_redirects=False)

    async def request(self, request: Request) -> Answer:
        """Sends a request and returns the whole answer."""
        async with self._pooled(request) as stream:
            body = b"".join([chunk async for chunk in stream.chunks()])
            return Answer(status=stream.status, headers=stream.headers, body=body)

    def stream(self, request: Request) -> AbstractAsyncContextManager[Stream]:
        """Sends a request and hands over the answer as soon as its headers are there."""
        path = self._endpoint.socket_path
        if path is not None and isinstance(request.body, bytes):
            return open_stream(request, path, self._endpoint, CONNECT_TIMEOUT)
        return self._pooled(request)

    @asynccontextmanager
    async def _pooled(self, request: Request) -> AsyncIterator[Stream]:
        response = await self._send(request)
        try:
            yield _HttpStream(response, self._endpoint)
        finally:
            await response.aclose()

    async def upgrade(self, request: Request) -> Duplex | Answer:
        """Takes the raw connection over; Podman and older engines answer 200 instead of 101 and mean the same."""
        response = await self._send(request)
        if response.status_code == httpx.codes.SWITCHING_PROTOCOLS:
            return _HttpDuplex(response)
        try:
            body = await response.aread()
        finally:
            await response.aclose()
        return Answer(status=response.status_code, headers=dict(response.headers), body=body)

    async def aclose(self) -> None:
        """Ends all connections."""
        await self._client.aclose()

    async def _send(self, request: Request) -> httpx.Response:
        timeout = httpx.Timeout(request.timeout, connect=CONNECT_TIMEOUT)
        built = self._client.build_request(
            request.method, request.target, headers=dict(request.headers), content=request.body, timeout=timeout
        )
        try:
            return await self._client.send(built, stream=True)
        except httpx.HTTPError as error:
            raise _failure(error, self._endpoint, request.timeout) from error


class _HttpStream:
    def __init__(self, response: httpx.Response, endpoint: Endpoint) -> None:
        self._response = response
        self._endpoint = endpoint
        self.status = response.status_code
        self.headers: Mapping[str, str] = dict(response.headers)

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.aiter_raw():
                yield chunk
        except httpx.HTTPError as error:
            raise failures.cut(self._endpoint) from error


class _HttpDuplex:
    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._raw: Any = response.extensions["network_stream"]
        self.headers: Mapping[str, str] = dict(response.headers)

    async def read(self, limit: int = 65536) -> bytes:
        try:
            data: bytes = await self._raw.read(limit, timeout=None)
        except Exception as error:
            raise StreamCut("the engine closed the connection") from error
        return data

    async def write(self, data: bytes) -> None:
        try:
            await self._raw.write(data, timeout=None)
        except Exception as error:
            raise StreamCut("the engine closed the connection") from error

    async def close_write(self) -> None:
        raw: socket.socket | None = self._raw.get_extra_info("socket")
        if raw is not None:
            raw.shutdown(socket.SHUT_WR)

    async def aclose(self) -> None:
        await self._response.aclose()


def _failure(error: httpx.HTTPError, endpoint: Endpoint, timeout: float | None) -> PydError:
    """Says why nothing answers, and what to do."""
    if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout):
        return failures.silent(endpoint, timeout)
    if isinstance(error, httpx.RemoteProtocolError):
        if "disconnected" in str(error):
            return failures.hung_up(endpoint)
        return failures.not_http(endpoint, str(error))
    if isinstance(error, httpx.ReadError | httpx.WriteError):
        return failures.hung_up(endpoint)
    if isinstance(error, httpx.ConnectTimeout):
        return failures.unreachable(None, f"no connection within {CONNECT_TIMEOUT:g} s", endpoint)
    cause: BaseException | None = error
    number = None
    while cause is not None and number is None:
        number = cause.errno if isinstance(cause, OSError) else None
        cause = cause.__cause__ or cause.__context__
    return failures.unreachable(number, str(error), endpoint)
