"""Errors when an engine is absent, isn't an engine, or stops: the same over both transports."""

import base64
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from pyd_core.client.connect import open_engine
from pyd_core.client.credentials import RegistryCredentials
from pyd_core.client.endpoint import Endpoint
from pyd_core.client.engine_client import EngineClient
from pyd_core.client.transport.base import ApiRequest
from pyd_core.client.transport.blocking import blocking_engine
from pyd_core.errors import (
    EngineUnavailable,
    NotFound,
    ProtocolError,
    PydError,
    Refused,
    StreamInterrupted,
    Unsupported,
)
from support.fake_engine import PING, FakeEngine, Reply, answer, answer_json

Opener = Callable[[Endpoint], EngineClient]


@pytest.fixture(params=[open_engine, blocking_engine], ids=["loop", "blocking"])
def opener(request: pytest.FixtureRequest) -> Opener:
    chosen: Opener = request.param
    return chosen


async def failure(opener: Opener, path: Path, *, ping: Reply = PING, **replies: Reply) -> PydError:
    """The error that listing containers ends with, on an engine that answers so."""
    listing = replies.get("listing", answer_json([]))
    with FakeEngine(path, {"/_ping": ping, "/containers/json": listing}) as fake:
        async with opener(Endpoint(url=fake.url)) as engine:
            with pytest.raises(PydError) as caught:
                await engine.containers.list()
    assert "\n" not in caught.value.message
    return caught.value


async def test_no_socket_there(opener: Opener, tmp_path: Path):
    async with opener(Endpoint(url=f"unix://{tmp_path}/none.sock", origin="DOCKER_HOST")) as engine:
        with pytest.raises(EngineUnavailable, match=r"no such socket") as caught:
            await engine.containers.list()
    assert "(DOCKER_HOST)" in caught.value.message


@pytest.fixture
def nobody() -> Iterator[None]:
    """For root: the rights of an ordinary user."""
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)
    yield
    os.seteuid(me)


async def test_no_permission_on_the_socket(opener: Opener, nobody: None):
    with tempfile.TemporaryDirectory() as directory, FakeEngine(Path(directory) / "s", {}) as fake:
        fake.path.chmod(0)
        async with opener(Endpoint(url=fake.url)) as engine:
            with pytest.raises(Refused, match="no permission on the engine's socket") as caught:
                await engine.containers.list()
    assert caught.value.reference == "engine-permission"
    assert "usermod -aG docker" in caught.value.hint


async def test_a_file_on_the_way_is_not_a_directory(opener: Opener, tmp_path: Path):
    (tmp_path / "file").touch()
    async with opener(Endpoint(url=f"unix://{tmp_path}/file/x.sock")) as engine:
        with pytest.raises(EngineUnavailable, match=r"no such socket"):
            await engine.containers.list()


async def test_nobody_listens_on_the_socket(opener: Opener, tmp_path: Path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "d.sock"))
    async with opener(Endpoint(url=f"unix://{tmp_path}/d.sock")) as engine:
        with pytest.raises(EngineUnavailable, match="connection refused"):
            await engine.containers.list()


async def test_a_path_longer_than_a_socket_address(opener: Opener, tmp_path: Path):
    async with opener(Endpoint(url=f"unix://{tmp_path}/{'x' * 200}")) as engine:
        with pytest.raises(EngineUnavailable):
            await engine.containers.list()


@pytest.mark.parametrize("header", ["Api-Version: 1.40\r\n", "Api-Version: nonsense\r\n", ""])
async def test_an_engine_too_old_or_none_at_all(opener: Opener, header: str, tmp_path: Path):
    error = await failure(opener, tmp_path / "s", ping=answer(b"OK", headers=header))
    assert isinstance(error, Unsupported)
    assert error.reference == "api-too-old"


async def test_an_engine_too_new(opener: Opener, tmp_path: Path):
    text = "client version 1.45 is too old. Minimum supported API version is 1.60"
    error = await failure(opener, tmp_path / "s", listing=answer_json({"message": text}, status="400 Bad Request"))
    assert isinstance(error, Unsupported)
    assert error.reference == "api-too-new"


async def test_an_engine_of_which_nothing_is_known_is_asked_for_the_oldest_it_serves(opener: Opener, tmp_path: Path):
    """An engine whose oldest version is newer than the newest this client knew refused every request."""
    replies: dict[str, Reply] = {
        "/_ping": answer(b"OK", headers="Api-Version: 1.60\r\n"),
        "/version": answer_json({"ApiVersion": "1.60", "MinAPIVersion": "1.48"}),
        "/containers/json": answer_json([]),
    }
    with FakeEngine(tmp_path / "s", replies) as fake:
        async with opener(Endpoint(url=fake.url)) as engine:
            assert await engine.containers.list() == []
            assert await engine.api.negotiate() == "1.48"
    assert any(request.startswith(b"GET /v1.48/containers/json") for request in fake.requests)


async def test_a_service_is_sent_with_what_its_nodes_show_the_registry(opener: Opener, tmp_path: Path):
    """`--with-registry-auth` was taken and nothing was sent."""
    replies: dict[str, Reply] = {"/services/create": answer_json({"ID": "s1"}, status="201 Created")}
    with FakeEngine(tmp_path / "s", replies) as fake:
        async with opener(Endpoint(url=fake.url)) as engine:
            await engine.services.create(
                {"Name": "web"}, credentials=RegistryCredentials(username="me", password="word")
            )
    (sent,) = [request for request in fake.requests if b"/services/create" in request]
    (header,) = [line for line in sent.split(b"\r\n") if line.lower().startswith(b"x-registry-auth: ")]
    assert base64.urlsafe_b64decode(header.partition(b": ")[2]) == b'{"username":"me","password":"word"}'


@pytest.mark.parametrize(
    "garbage", [b"SSH-2.0-OpenSSH_9.6\r\n\r\n", b"\x00" * 64 + b"\r\n\r\n", b"HTTP/9.9 hello\r\n\r\n"]
)
async def test_garbage_instead_of_http(opener: Opener, garbage: bytes, tmp_path: Path):
    error = await failure(opener, tmp_path / "s", ping=garbage)
    assert error.reference == "not-an-engine"
    assert error.hint


async def test_a_header_of_a_megabyte(opener: Opener, tmp_path: Path):
    error = await failure(opener, tmp_path / "s", ping=answer(b"OK", headers=f"X: {'a' * 2**20}\r\n"))
    assert error.reference == "not-an-engine"


async def test_a_connection_closed_without_a_word(opener: Opener, tmp_path: Path):
    error = await failure(opener, tmp_path / "s", listing=b"")
    assert isinstance(error, EngineUnavailable)
    assert "without an answer" in error.message


async def test_an_answer_cut_in_its_headers(opener: Opener, tmp_path: Path):
    error = await failure(opener, tmp_path / "s", listing=b"HTTP/1.1 200 OK\r\nContent-Le")
    assert isinstance(error, EngineUnavailable)


async def test_an_answer_cut_in_its_body(opener: Opener, tmp_path: Path):
    error = await failure(opener, tmp_path / "s", listing=b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[")
    assert isinstance(error, StreamInterrupted)


async def test_a_stream_cut_in_a_chunk(opener: Opener, tmp_path: Path):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with FakeEngine(tmp_path / "s", {"/events": head + b"30\r\n{"}) as fake:
        async with opener(Endpoint(url=fake.url)) as engine, engine.system.events() as events:
            with pytest.raises(StreamInterrupted):
                await anext(events)


@pytest.mark.parametrize("body", [b"<html>", b"", b'{"a": 1}', b'[{"Id": 7}]', b"[1]", b"[" * 5000])
async def test_an_answer_of_the_wrong_shape(opener: Opener, body: bytes, tmp_path: Path):
    assert isinstance(await failure(opener, tmp_path / "s", listing=answer(body)), ProtocolError)


async def test_nulls_where_lists_and_objects_are_promised(opener: Opener, tmp_path: Path):
    line = {"Id": "a" * 64, "Names": None, "Labels": None, "HostConfig": None, "NetworkSettings": {"Networks": None}}
    listing = answer_json([line, None])
    with FakeEngine(tmp_path / "s", {"/containers/json": listing, "/volumes": answer_json({"Volumes": None})}) as fake:
        async with opener(Endpoint(url=fake.url)) as engine:
            [result] = await engine.containers.list()
            assert (result.name, result.labels, result.network_settings.networks) == ("a" * 12, {}, {})
            assert await engine.volumes.list() == []


async def test_null_for_a_whole_list(opener: Opener, tmp_path: Path):
    with FakeEngine(tmp_path / "s", {"/containers/json": answer_json(None)}) as fake:
        async with opener(Endpoint(url=fake.url)) as engine:
            assert await engine.containers.list() == []


async def test_an_engine_that_says_nothing(opener: Opener, tmp_path: Path):
    with FakeEngine(tmp_path / "s", {"/_ping": lambda _connection, _target: fake.wait_for_end()}) as fake:
        engine = opener(Endpoint(url=fake.url))
        with pytest.raises(EngineUnavailable, match=r"did not answer within 0\.05 s") as caught:
            await engine.api.transport.request(ApiRequest(method="GET", target="/_ping", headers={}, timeout=0.05))
        await engine.aclose()
    assert caught.value.reference == "engine-timeout"


@pytest.mark.parametrize("body", [b'{"message": "No such\\ncontainer: x"}', b"No such container: x\n"])
async def test_an_engines_own_words_are_the_message(opener: Opener, body: bytes, tmp_path: Path):
    error = await failure(opener, tmp_path / "s", listing=answer(body, status="404 Not Found"))
    assert isinstance(error, NotFound)
    assert error.message == "No such container: x"


async def test_a_request_may_be_a_stream(opener: Opener, tmp_path: Path):
    received: list[bytes] = []

    def put(connection: socket.socket, _target: str) -> None:
        data = fake.requests[-1]
        while b"\r\n0\r\n\r\n" not in data:
            data += connection.recv(65536)
        received.append(data)
        connection.sendall(answer())

    async def tar() -> AsyncIterator[bytes]:
        yield b"first"
        yield b"second"

    with FakeEngine(tmp_path / "s", {"/containers/x/archive": put}) as fake:
        async with opener(Endpoint(url=fake.url)) as engine:
            await engine.containers.archive_put("x", "/tmp", tar())
    assert b"5\r\nfirst\r\n6\r\nsecond\r\n" in received[0]


async def test_a_handed_over_connection_keeps_what_came_with_the_headers(opener: Opener, tmp_path: Path):
    def start(connection: socket.socket, _target: str) -> None:
        connection.sendall(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nearly ")
        data = b""
        while part := connection.recv(100):
            data += part
        connection.sendall(b"got " + data)

    with FakeEngine(tmp_path / "s", {"/exec/e/start": start}) as fake:
        async with opener(Endpoint(url=fake.url)) as engine:
            duplex = await engine.execs.start("e")
            await duplex.write(b"input")
            await duplex.close_write()
            heard = b""
            while part := await duplex.read():
                heard += part
            await duplex.aclose()
    assert heard == b"early got input"


async def test_an_engine_that_will_not_hand_the_connection_over(opener: Opener, tmp_path: Path):
    refusal = answer_json({"message": "container x is not running"}, status="409 Conflict")
    cut = b"HTTP/1.1 500 Oh\r\nContent-Length: 99\r\n\r\n{"
    replies = {"/exec/e/start": refusal, "/exec/f/start": answer(b"fine"), "/exec/g/start": cut}
    with FakeEngine(tmp_path / "s", replies) as fake:
        async with opener(Endpoint(url=fake.url)) as engine:
            with pytest.raises(PydError, match="not running"):
                await engine.execs.start("e")
            with pytest.raises(ProtocolError, match="instead of handing the connection over"):
                await engine.execs.start("f")
            with pytest.raises(StreamInterrupted):
                await engine.execs.start("g")
