"""The HTTP server, over a real unix socket, with handlers of the test's own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pyd_core.daemon.api.http import HandlerResult, Hijack, HttpRequest, Response, StreamingResponse
from pyd_core.daemon.api.routes import Routes, split_version
from pyd_core.daemon.api.server import HttpConnection, RequestHead
from pyd_core.daemon.duplex import UpgradedConnection
from pyd_core.errors import Conflict, InvalidInput, NotFound, PydError

Chunks = Callable[[], AsyncIterator[bytes]]
Handler = Callable[[HttpRequest], Awaitable[Response]]


@asynccontextmanager
async def client(tmp_path: Path, handler: Handler) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async def answer(head: RequestHead, chunks: Chunks) -> Response:
        return await handler(head.request({}, (1, 45), chunks))

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await HttpConnection(reader, writer, answer).serve()

    path = str(tmp_path / "s")
    server = await asyncio.start_unix_server(connected, path)
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()


async def head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


async def test_requests_follow_one_another_on_a_connection(tmp_path: Path):
    async def handler(request: HttpRequest) -> Response:
        return HandlerResult(body=request.method.encode() + await request.body(), kind="text/plain")

    async with client(tmp_path, handler) as (reader, writer):
        writer.write(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nxyz" * 2)
        for _ in range(2):
            assert b"content-length: 7" in (await head(reader)).lower()
            assert await reader.readexactly(7) == b"POSTxyz"


@pytest.mark.parametrize(
    ("error", "status"),
    [(NotFound("gone"), 404), (Conflict("no"), 409), (InvalidInput("bad"), 400), (ValueError("bug"), 500)],
)
async def test_errors_become_a_status_and_a_message(tmp_path: Path, error: Exception, status: int):
    async def handler(request: HttpRequest) -> Response:
        raise error

    async with client(tmp_path, handler) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        first = await head(reader)
        assert first.startswith(b"HTTP/1.1 %d" % status)
        length = int(
            next(line for line in first.split(b"\r\n") if line.lower().startswith(b"content-length")).split()[1]
        )
        message = json.loads(await reader.readexactly(length))["message"]
        assert str(error.args[0]) in message
        assert isinstance(error, PydError) or "Traceback" not in message


async def test_a_stream_ends_its_work_when_the_client_leaves(tmp_path: Path):
    ended = asyncio.Event()

    async def chunks() -> AsyncIterator[bytes]:
        try:
            yield b"first"
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def handler(request: HttpRequest) -> Response:
        return StreamingResponse(chunks=chunks())

    async with client(tmp_path, handler) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await head(reader)
        assert b"first" in await reader.read(100)
        writer.close()
        await asyncio.wait_for(ended.wait(), 10)


@pytest.mark.parametrize("upgrade", [True, False])
async def test_a_connection_is_handed_over_with_what_came_already_and_half_closed(tmp_path: Path, *, upgrade: bool):
    async def serve(wire: UpgradedConnection) -> None:
        data = b""
        while more := await wire.read():
            data += more
        wire.write(data.upper())
        await wire.drain()

    async def handler(request: HttpRequest) -> Response:
        return Hijack(serve=serve, tty=True)

    async with client(tmp_path, handler) as (reader, writer):
        upgrade_headers = b"Connection: Upgrade\r\nUpgrade: tcp\r\n" if upgrade else b""
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\n" + upgrade_headers + b"Content-Length: 0\r\n\r\nearly")
        first = await head(reader)
        assert first.startswith(b"HTTP/1.1 101 UPGRADED" if upgrade else b"HTTP/1.1 200 OK")
        assert b"application/vnd.docker.raw-stream" in first
        writer.write(b" late")
        writer.write_eof()
        assert await reader.read() == b"EARLY LATE"


async def test_a_request_that_is_no_http_is_refused(tmp_path: Path):
    async def handler(request: HttpRequest) -> Response:
        return HandlerResult()

    async with client(tmp_path, handler) as (reader, writer):
        writer.write(b"nonsense\r\n\r\n")
        assert (await head(reader)).startswith(b"HTTP/1.1 400")


def test_paths_find_their_handler_and_versions_are_checked():
    routes = Routes()

    async def handle(engine: object, request: HttpRequest) -> Response:
        return HandlerResult()

    routes.add("GET", "/images/{name}/json")(handle)
    routes.add("GET", "/containers/{id}/json")(handle)
    assert routes.find("GET", "/images/localhost:5000/a/b/json")[1] == {"name": "localhost:5000/a/b"}
    assert routes.find("HEAD", "/containers/abc/json")[1] == {"id": "abc"}
    assert routes.find("GET", "/containers/a/b/json")[1] == {"id": "a/b"}  # as a link names it
    for method, path, kind in (("GET", "/containers/a/b/c/json", NotFound), ("POST", "/containers/a/json", PydError)):
        with pytest.raises(kind):
            routes.find(method, path)
    assert split_version("/v1.41/info") == ((1, 41), "/info")
    for wrong in ("/v1.99/info", "/v1.2/info", f"/v{'9' * 5000}.1/info", f"/v1.{'9' * 5000}/info"):
        with pytest.raises(InvalidInput):
            split_version(wrong)


@pytest.mark.parametrize(
    ("text", "status"), [(r"a\u0000b", 400), (r"a\\\u0000b", 400), (r"a\\u0000b", 200), ("ab", 200)]
)
async def test_a_text_with_a_null_character_is_refused_before_it_reaches_a_system_call(
    tmp_path: Path, text: str, status: int
):
    async def handler(request: HttpRequest) -> Response:
        return HandlerResult(body=json.dumps(await request.json(dict[str, str])).encode())

    async with client(tmp_path, handler) as (reader, writer):
        body = f'{{"Env": "{text}"}}'.encode()
        writer.write(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert f"HTTP/1.1 {status}".encode() in await head(reader)
