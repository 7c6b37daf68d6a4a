"""Engines over a unix socket or TCP, on httpx."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.transport import failures
from pyd_core.client.transport.base import ApiRequest, Duplex, Response, Stream
from pyd_core.client.transport.stream import open_stream
from pyd_core.client.transport.tls import tls_context, tls_failure
from pyd_core.errors import PydError, StreamInterrupted

CONNECT_TIMEOUT_S = 10.0
"""Seconds to reach an engine's host."""


class HttpTransport:
    """A transport on httpx: one pool of connections to one endpoint.

    Args:
        endpoint: Where, and what error messages call it.
        socket_path: The local socket that leads there, for an endpoint that isn't one itself.
    """

    def __init__(self, endpoint: Endpoint, *, socket_path: Path | None = None) -> None:
        self._endpoint = endpoint
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=8)
        self._path = path = socket_path or endpoint.socket_path
        if path is not None:
            base = "http://engine"
            transport = httpx.AsyncHTTPTransport(uds=str(path), limits=limits)
        elif endpoint.is_plain_tcp:
            base = _base_url("http", endpoint, port=2375)
            transport = httpx.AsyncHTTPTransport(limits=limits)
        else:
            base = _base_url("https", endpoint, port=2376)
            transport = httpx.AsyncHTTPTransport(verify=tls_context(endpoint), limits=limits)
        self._client = httpx.AsyncClient(transport=transport, base_url=base, trust_env=False, follow_redirects=False)

    async def request(self, request: ApiRequest) -> Response:
        """Send a request and return the complete response."""
        async with self._pooled(request) as stream:
            body = b"".join([chunk async for chunk in stream.chunks()])
            if stream.status == httpx.codes.BAD_REQUEST and self._endpoint.is_plain_tcp and b"HTTPS" in body:
                raise failures.tls_required(self._endpoint)  # Go's and nginx's words to a plain request
            return Response(status=stream.status, headers=stream.headers, body=body)

    def stream(self, request: ApiRequest) -> AbstractAsyncContextManager[Stream]:
        """Send a request and yield the response once its headers have arrived."""
        if self._path is not None and isinstance(request.body, bytes):
            return open_stream(request, self._path, self._endpoint, CONNECT_TIMEOUT_S)
        return self._pooled(request)

    @asynccontextmanager
    async def _pooled(self, request: ApiRequest) -> AsyncIterator[Stream]:
        response = await self._send(request)
        try:
            yield _HttpStream(response, self._endpoint)
        finally:
            await response.aclose()

    async def upgrade(self, request: ApiRequest) -> Duplex | Response:
        """Take over the raw connection; asked for an upgrade, Docker Engine and Podman both answer 101."""
        response = await self._send(request)
        if response.status_code == httpx.codes.SWITCHING_PROTOCOLS:
            return _HttpDuplex(response)
        try:
            refusal = _HttpStream(response, self._endpoint)
            body = b"".join([chunk async for chunk in refusal.chunks()])
        finally:
            await response.aclose()
        return Response(status=refusal.status, headers=refusal.headers, body=body)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _send(self, request: ApiRequest) -> httpx.Response:
        timeout = httpx.Timeout(request.timeout, connect=CONNECT_TIMEOUT_S)
        http_request = self._client.build_request(
            request.method, request.target, headers=request.header_lines, content=request.body, timeout=timeout
        )
        try:
            return await self._client.send(http_request, stream=True)
        except (httpx.HTTPError, OSError) as error:  # alerts in the middle of TLS reach us as they are
            raise _error_from(error, self._endpoint, request.timeout) from error


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
        except (httpx.HTTPError, OSError) as error:
            raise failures.interrupted(self._endpoint) from error


class _HttpDuplex:
    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._raw: Any = response.extensions["network_stream"]
        self.headers: Mapping[str, str] = dict(response.headers)

    async def read(self, limit: int = 65536) -> bytes:
        try:
            data: bytes = await self._raw.read(limit, timeout=None)
        except Exception as error:
            raise StreamInterrupted("the engine closed the connection") from error
        return data

    async def write(self, data: bytes) -> None:
        try:
            await self._raw.write(data, timeout=None)
        except Exception as error:
            raise StreamInterrupted("the engine closed the connection") from error

    async def close_write(self) -> None:
        encrypted: ssl.SSLObject | None = self._raw.get_extra_info("ssl_object")
        raw: socket.socket | None = self._raw.get_extra_info("socket")
        with suppress(Exception):  # the connection may have ended already, and then the other side knows
            if encrypted is not None:
                await self._notify(encrypted)
            elif raw is not None:
                raw.shutdown(socket.SHUT_WR)

    async def _notify(self, encrypted: ssl.SSLObject) -> None:
        """End one direction of TLS (close_notify, RFC 8446, section 6.1); a bare end below it counts as an attack.

        No layer in between has a call for it, so its record is taken from anyio's stream and sent. tests/engine would
        notice if a release moved it.
        """
        with suppress(ssl.SSLWantReadError):
            encrypted.unwrap()
        stream = self._raw._stream._stream  # noqa: SLF001 - see above
        await stream.transport_stream.send(stream._write_bio.read())  # noqa: SLF001 - see above

    async def aclose(self) -> None:
        await self._response.aclose()


def _base_url(scheme: str, endpoint: Endpoint, *, port: int) -> str:
    parts = urlsplit(endpoint.url)
    host = parts.hostname or ""
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{parts.port or port}"


def _error_from(error: httpx.HTTPError | OSError, endpoint: Endpoint, timeout: float | None) -> PydError:
    """Says why nothing answers, and what to do."""
    match error:
        case httpx.ReadTimeout() | httpx.WriteTimeout():
            return failures.timed_out(endpoint, timeout)
        case httpx.RemoteProtocolError() if "disconnected" not in str(error):
            return failures.not_http(endpoint, str(error))
        case httpx.ConnectTimeout():
            return failures.unreachable(None, f"no connection within {CONNECT_TIMEOUT_S:g} s", endpoint)
    cause = _cause(error)
    if isinstance(cause, ssl.SSLError):
        return tls_failure(cause, endpoint)
    if isinstance(error, httpx.ConnectError):
        return failures.unreachable(cause.errno if cause else None, str(error), endpoint)
    return failures.closed_early(endpoint)


def _cause(error: BaseException) -> OSError | None:
    """Find what the operating system said below an exception of httpx.

    A failed connection to a name with several addresses has an OSError without a number on the way there, and a group
    with one for each address behind that.
    """
    cause: BaseException | None = error
    while cause is not None and not (isinstance(cause, OSError) and (cause.errno or isinstance(cause, ssl.SSLError))):
        inner = cause.exceptions[0] if isinstance(cause, BaseExceptionGroup) else None
        cause = inner or cause.__cause__ or cause.__context__
    return cause
