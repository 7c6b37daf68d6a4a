"""HTTP connections to an API server, on httpx."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import httpx

from pyd_core.client.transport.base import ApiRequest, Response
from pyd_core.errors import ConfigError, EngineUnavailable, ProtocolError, PydError, Refused, StreamInterrupted
from pyd_core.kube.access import AccessSettings, ClusterAccess
from pyd_core.kube.credentials import Credentials
from pyd_core.sanitise import safe

CONNECT_TIMEOUT_S = 10.0
MAX_BODY_BYTES = 256 * 2**20
"""Decoded bytes of one answer; a page of 500 pods has about 4 MiB."""


class ClusterStream:
    """A response whose body is read as it arrives."""

    def __init__(self, response: httpx.Response, where: str) -> None:
        self._response = response
        self._where = where
        self.status = response.status_code
        self.headers: dict[str, str] = dict(response.headers)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives."""
        try:
            async for chunk in self._response.aiter_bytes():
                yield chunk
        except (httpx.HTTPError, OSError) as error:
            raise StreamInterrupted(
                f"{self._where} stopped answering", hint="check the cluster and the network"
            ) from error

    async def body(self) -> bytes:
        """Return the complete body.

        Raises:
            ProtocolError: It is larger than `MAX_BODY_BYTES`.
        """
        parts: list[bytes] = []
        size = 0
        async for chunk in self.chunks():
            size += len(chunk)
            if size > MAX_BODY_BYTES:
                raise ProtocolError(f"{self._where} answered with more than {MAX_BODY_BYTES >> 20} MiB")
            parts.append(chunk)
        return b"".join(parts)


class RawConnection:
    """A connection that was taken over from HTTP: bytes both ways."""

    def __init__(self, response: httpx.Response, where: str) -> None:
        self._response = response
        self._where = where
        self._raw: Any = response.extensions["network_stream"]
        self.headers: dict[str, str] = dict(response.headers)

    async def read(self, limit: int = 65536) -> bytes:
        """Return available bytes; empty at the end."""
        try:
            data: bytes = await self._raw.read(limit, timeout=None)
        except Exception as error:
            raise StreamInterrupted(f"{self._where} closed the connection") from error
        return data

    async def write(self, data: bytes) -> None:
        """Send all of `data`."""
        try:
            await self._raw.write(data, timeout=None)
        except Exception as error:
            raise StreamInterrupted(f"{self._where} closed the connection") from error

    async def aclose(self) -> None:
        """Close the connection."""
        with suppress(Exception):
            await self._response.aclose()


class ClusterConnection:
    """Requests to one API server with one user's credentials.

    Args:
        access: The cluster and the user.
        may_ask: Whether an exec plugin may use the terminal.
    """

    def __init__(self, access: ClusterAccess, *, may_ask: bool = False) -> None:
        self._settings = access.settings
        self.where = f"the API server of {safe(access.context)}"
        self._credentials = Credentials(access.settings, may_ask=may_ask)
        self._client: httpx.AsyncClient | None = None
        self._certificate: tuple[bytes, bytes] | None = None
        parts = urlsplit(self._settings.server)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError(f"not an API server's address: {safe(self._settings.server)!r}")
        self._prefix = parts.path.rstrip("/")

    async def request(self, request: ApiRequest) -> Response:
        """Send a request and return the complete response, whatever its status."""
        async with self.stream(request) as stream:
            return Response(status=stream.status, headers=stream.headers, body=await stream.body())

    @asynccontextmanager
    async def stream(self, request: ApiRequest) -> AsyncIterator[ClusterStream]:
        """Send a request and yield the response once its headers have arrived."""
        response = await self._send(request)
        try:
            yield ClusterStream(response, self.where)
        finally:
            with suppress(Exception):
                await response.aclose()

    async def upgrade(self, request: ApiRequest) -> RawConnection | Response:
        """Send a request that asks for the raw connection; a `Response` is the server's refusal."""
        response = await self._send(request)
        if response.status_code == httpx.codes.SWITCHING_PROTOCOLS:
            return RawConnection(response, self.where)
        stream = ClusterStream(response, self.where)
        try:
            return Response(status=stream.status, headers=stream.headers, body=await stream.body())
        finally:
            with suppress(Exception):
                await response.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _send(self, request: ApiRequest) -> httpx.Response:
        response = await self._send_once(request)
        if response.status_code == httpx.codes.UNAUTHORIZED and self._credentials.refreshable:
            await response.aclose()
            self._credentials.invalidate()
            response = await self._send_once(request)
        return response

    async def _send_once(self, request: ApiRequest) -> httpx.Response:
        headers = [*request.header_lines, *(await self._credentials.headers()).items()]
        headers += [("Impersonate-Group", group) for group in self._credentials.groups]
        client = await self._open()
        timeout = httpx.Timeout(request.timeout, connect=CONNECT_TIMEOUT_S, pool=None)
        extensions = {"sni_hostname": self._settings.server_name} if self._settings.server_name else None
        prepared = client.build_request(
            request.method,
            self._prefix + request.target,
            headers=headers,
            content=request.body,
            timeout=timeout,
            extensions=extensions,
        )
        try:
            return await client.send(prepared, stream=True)
        except (httpx.HTTPError, OSError) as error:
            raise _failure(error, self.where, self._settings) from error

    async def _open(self) -> httpx.AsyncClient:
        certificate = await self._credentials.certificate()
        if self._client is not None and certificate == self._certificate:
            return self._client
        if self._client is not None:
            await self._client.aclose()
        self._certificate = certificate
        settings = self._settings
        parts = urlsplit(settings.server)
        verify: ssl.SSLContext | bool = _trust(settings, certificate) if parts.scheme == "https" else False
        proxy = settings.proxy or _environment_proxy(settings.server)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=8)
        try:
            transport = httpx.AsyncHTTPTransport(verify=verify, limits=limits, proxy=proxy or None)
        except (ImportError, ValueError) as error:
            raise ConfigError(
                f"can't use the proxy {safe(proxy)}: {error}", hint="use an http or https proxy"
            ) from error
        self._client = httpx.AsyncClient(
            transport=transport,
            base_url=f"{parts.scheme}://{parts.netloc}",
            trust_env=False,
            follow_redirects=False,
            headers={"User-Agent": "pyd"},
        )
        return self._client


def _environment_proxy(server: str) -> str:
    """Return the proxy that the environment names for a server, as other clients of clusters do."""
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415 - once per connection

    parts = urlsplit(server)
    if proxy_bypass(parts.hostname or ""):
        return ""
    return getproxies().get(parts.scheme, "")


def _trust(settings: AccessSettings, certificate: tuple[bytes, bytes] | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cadata=settings.ca.decode() if settings.ca else None)
        if not settings.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if certificate is not None:
            _load_certificate(context, *certificate)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"can't use the certificates in the kubeconfig: {error}", hint="check its CA, certificate and key"
        ) from error
    return context


def _load_certificate(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Load a certificate and key from memory: OpenSSL's call takes only files, and the key must not reach a disk."""
    descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, certificate.rstrip() + b"\n" + key)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}", password="")
    finally:
        os.close(descriptor)


def _failure(error: httpx.HTTPError | OSError, where: str, settings: AccessSettings) -> PydError:
    """Return why no API server answers, and what to do."""
    server = safe(settings.server)
    cause = _cause(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Refused(
            f"{where} at {server} has a certificate we can't trust: {cause.verify_message}",
            hint="check certificate-authority and tls-server-name in the kubeconfig",
            reference="tls-unknown-ca",
        )
    if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout):
        return EngineUnavailable(f"{where} did not answer in time", hint="it is overloaded", reference="engine-timeout")
    if isinstance(error, httpx.ProxyError):
        return EngineUnavailable(f"the proxy to {where} refused: {safe(str(error))}", hint="check proxy-url")
    if isinstance(cause, ssl.SSLError):
        return EngineUnavailable(f"TLS to {where} at {server} failed: {cause.reason or cause}")
    if isinstance(error, httpx.RemoteProtocolError) and "disconnected" not in str(error):
        return ProtocolError(f"what answers at {server} is no API server: {safe(str(error))[:120]}")
    text = (cause.strerror if cause else "") or safe(str(error)) or type(error).__name__
    return EngineUnavailable(
        f"{where} at {server} doesn't answer: {text}", hint="check the cluster, the VPN or the proxy to it"
    )


def _cause(error: BaseException) -> OSError | None:
    cause: BaseException | None = error
    while cause is not None and not (isinstance(cause, OSError) and (cause.errno or isinstance(cause, ssl.SSLError))):
        inner = cause.exceptions[0] if isinstance(cause, BaseExceptionGroup) else None
        cause = inner or cause.__cause__ or cause.__context__
    return cause
