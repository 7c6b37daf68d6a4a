"""Error messages for registries and other servers that can't be reached, over real connections that fail."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from pyd_core.daemon.images.connection_errors import translate_errors
from pyd_core.errors import EngineError
from support.tls import Certificates


@asynccontextmanager
async def listening(answer: bytes | None, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Give the port of a server that answers so and closes, or never answers."""
    finished = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        if answer is None:
            await finished.wait()
        else:
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        finished.set()
        server.close()


async def ask(url: str, seconds: float | None) -> None:
    async with httpx.AsyncClient(timeout=seconds, trust_env=False) as client:
        with translate_errors("registry it", certificate="/certs.d/it/ca.crt"):
            await client.get(url)


async def error_of(url: str, seconds: float | None = None) -> EngineError:
    """Asks, and returns what is said of the failure."""
    with pytest.raises(EngineError) as caught:
        await ask(url, seconds)
    return caught.value


async def test_a_port_nothing_listens_on():
    assert (await error_of("http://127.0.0.1:1/")).message == "registry it: connection refused"
    assert (await error_of("http://localhost:1/")).message == "registry it: connection refused"  # of all its addresses


async def test_a_name_that_does_not_exist():
    error = await error_of("http://nosuch.invalid/")
    assert error.message == "registry it: dial tcp: lookup nosuch.invalid: no such host"
    assert error.hint


async def test_a_server_that_never_answers():
    async with listening(None) as port:
        error = await error_of(f"http://127.0.0.1:{port}/", seconds=0.1)
    assert error.message == "registry it: it doesn't answer in time"


async def test_a_server_that_hangs_up():
    async with listening(b"") as port:
        error = await error_of(f"http://127.0.0.1:{port}/")
    assert error.message == "registry it: Server disconnected without sending a response."


async def test_a_certificate_that_is_not_trusted(tmp_path: Path):
    certificates = Certificates.make(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.directory / "server.pem", certificates.directory / "server-key.pem")
    async with listening(b"", context) as port:
        error = await error_of(f"https://localhost:{port}/")
    assert error.message.startswith("registry it: its certificate is not trusted: ")
    assert error.hint == "put the certificate to trust into /certs.d/it/ca.crt"


async def test_a_server_that_speaks_no_tls():
    async with listening(b"HTTP/1.0 200 OK\r\n\r\n" * 10) as port:
        error = await error_of(f"https://127.0.0.1:{port}/")
    assert error.message.startswith("registry it: TLS failed: ")
    assert "_" not in error.message


@pytest.mark.parametrize("url", ["ftp://it/", "http://it:port/"])
async def test_an_address_that_is_none(url: str):
    error = await error_of(url)
    assert error.message.startswith("registry it: ")
    assert "Error" not in error.message
