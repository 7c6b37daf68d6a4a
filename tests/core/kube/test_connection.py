"""Proxies, server names, impersonation and OIDC against servers that record what arrives."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pyd_core.errors import ConfigError, PydError, Refused
from pyd_core.kube.access import AccessSettings, AuthProvider, ClusterAccess
from pyd_core.kube.cluster_api import ClusterApi
from support.tls import Certificates

VERSION = b'{"gitVersion":"v1.36.2"}'


@dataclass
class RecordingServer:
    """A server that stores the head and the body of each request.

    Attributes:
        answer: Returns the status and body of an answer, from the request's head and body.
        requests: Heads and bodies of requests.
    """

    answer: Callable[[str, str], tuple[int, bytes]] = lambda _head, _body: (200, VERSION)
    requests: list[tuple[str, str]] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    """Server names that TLS clients asked for."""
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lines = head.lower().splitlines()
                length = next((int(line[15:]) for line in lines if line[:15] == "content-length:"), 0)
                body = (await reader.readexactly(length)).decode()
                self.requests.append((head, body))
                status, content = self.answer(head, body)
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass


@asynccontextmanager
async def running(server: RecordingServer, certificates: Certificates | None = None) -> AsyncIterator[RecordingServer]:
    context = None
    if certificates is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        directory = certificates.directory
        context.load_cert_chain(directory / "server.pem", directory / "server-key.pem")
        context.sni_callback = lambda _socket, name, _context: server.names.append(name)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for writer in server.writers:
            writer.transport.abort()
        await asyncio.sleep(0)


async def fetch_version(settings: AccessSettings) -> None:
    api = ClusterApi(ClusterAccess(context="c", namespace="n", settings=settings))
    try:
        await api.send("GET", "/version")
    finally:
        await api.aclose()


async def test_impersonation_is_sent_with_a_header_for_each_group():
    async with running(RecordingServer()) as server:
        settings = AccessSettings(
            server=f"http://127.0.0.1:{server.port}",
            impersonate="jane",
            impersonate_uid="7",
            impersonate_groups=("dev", "ops"),
        )
        await fetch_version(settings)
    lines = server.requests[0][0].lower().splitlines()
    assert {"impersonate-user: jane", "impersonate-uid: 7"} <= {*lines}
    assert [line for line in lines if "group" in line] == ["impersonate-group: dev", "impersonate-group: ops"]


async def test_requests_go_through_the_proxy_of_the_kubeconfig():
    async with running(RecordingServer()) as proxy:
        settings = AccessSettings(server="http://cluster.invalid:6443", proxy=f"http://127.0.0.1:{proxy.port}")
        await fetch_version(settings)
    assert proxy.requests[0][0].startswith("GET http://cluster.invalid:6443/version ")


async def test_a_proxy_that_refuses_is_one_line_and_a_hint():
    async with running(RecordingServer(answer=lambda _head, _body: (403, b""))) as proxy:
        settings = AccessSettings(server="https://cluster.invalid:6443", proxy=f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(PydError) as caught:
            await fetch_version(settings)
    assert "proxy" in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


async def test_the_server_s_certificate_is_checked_against_tls_server_name(tmp_path: Path):
    certificates = Certificates.make(tmp_path / "tls", name="api.internal")
    ca = (certificates.directory / "ca.pem").read_bytes()
    async with running(RecordingServer(), certificates) as server:
        address = f"https://127.0.0.1:{server.port}"
        await fetch_version(AccessSettings(server=address, ca=ca, server_name="api.internal"))
        assert server.names == ["api.internal"]
        with pytest.raises(Refused) as caught:
            await fetch_version(AccessSettings(server=address, ca=ca))
    assert "tls-server-name" in caught.value.hint


def token(expires_s: float) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": expires_s}).encode()).decode().rstrip("=")
    return f"e30.{claims}.c2ln"


async def test_an_expired_oidc_token_is_refreshed_and_a_replaced_refresh_token_is_used(tmp_path: Path):
    certificates = Certificates.make(tmp_path / "tls", name="127.0.0.1")
    issuer = RecordingServer()
    fresh = iter([token(time.time() - 5), token(time.time() + 3600)])

    def answer(head: str, body: str) -> tuple[int, bytes]:
        if head.startswith("GET /.well-known/openid-configuration "):
            return 200, json.dumps({"token_endpoint": f"https://127.0.0.1:{issuer.port}/token"}).encode()
        return 200, json.dumps({"id_token": next(fresh), "refresh_token": "second"}).encode()

    issuer.answer = answer
    async with running(issuer, certificates), running(RecordingServer()) as server:
        config = {
            "idp-issuer-url": f"https://127.0.0.1:{issuer.port}",
            "idp-certificate-authority": str(certificates.directory / "ca.pem"),
            "client-id": "pyd",
            "id-token": token(time.time() - 60),
            "refresh-token": "first",
        }
        settings = AccessSettings(
            server=f"http://127.0.0.1:{server.port}", provider=AuthProvider(name="oidc", config=config)
        )
        await fetch_version(settings)
        await fetch_version(settings)
    sent = [body for head, body in issuer.requests if head.startswith("POST")]
    assert ["refresh_token=first" in sent[0], "refresh_token=second" in sent[1]] == [True, True]
    assert "authorization: bearer e30." in server.requests[-1][0].lower()


async def test_an_expired_oidc_token_without_a_refresh_token_says_what_is_missing():
    provider = AuthProvider(name="oidc", config={"id-token": token(time.time() - 60)})
    with pytest.raises(ConfigError) as caught:
        await fetch_version(AccessSettings(server="http://127.0.0.1:1", provider=provider))
    assert caught.value.reference == "oidc-expired"
    assert "log in again" in caught.value.hint
