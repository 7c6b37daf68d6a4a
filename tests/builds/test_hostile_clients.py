"""Build clients that lie, stall, vanish or speak nonsense: a clear failure, and nothing is left or written outside."""

from __future__ import annotations

import asyncio
import os
import random

import pytest

from pyd_core.buildkit.proto import control_grpc, control_pb2, gateway_grpc, gateway_pb2, ops_pb2
from pyd_core.buildkit.proto.fsutil_stat_pb2 import Stat
from pyd_core.buildkit.proto.fsutil_wire_pb2 import Packet
from pyd_core.buildkit.rpc.channel import calls
from pyd_core.errors import EngineError, InvalidInput, NotFound, PydError, Unsupported
from pyd_core.tasks import TaskOwner
from support.build_client import BuildClient, ScriptedFiles, connected, upgraded
from support.pydd import Pydd

DOCKERFILE = "FROM scratch\nCOPY . /\n"
DIRECTORY, LINK = 1 << 31, 1 << 27
END = Packet(type=Packet.PACKET_STAT)


def stat(path: str, mode: int = 0o644, **fields: object) -> Packet:
    return Packet(type=Packet.PACKET_STAT, stat=Stat(path=path, mode=mode, **fields))  # type: ignore[arg-type]


def data(number: int, content: bytes) -> Packet:
    return Packet(type=Packet.PACKET_DATA, ID=number, data=content)


def definition_of(*operations: bytes) -> ops_pb2.Definition:
    definition = ops_pb2.Definition()
    getattr(definition, "def").extend(operations)
    return definition


async def honest(engine: Pydd) -> None:
    """Check that the engine still builds for others, and keeps no build."""
    files = ScriptedFiles(DOCKERFILE, [stat("a", size=1), END, data(0, b"1"), data(0, b"")])
    async with connected(engine.config.socket_path, [files]) as client:
        await client.build()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ([stat("../outside", size=1), END], "invalid path"),
        ([stat("/etc/passwd", size=1), END], "invalid path"),
        ([stat("a/b", size=1), END], "where it can't be"),
        ([stat("a", LINK | 0o777, linkname="/var/tmp"), stat("a/b", size=1), END], "where it can't be"),
        ([stat("a", size=1, linkname="/etc/passwd"), END], "isn't a file of its own"),
        ([stat("a", size=1), END, data(5, b"x")], "wasn't requested"),
        ([stat("a", size=1), END, *[data(0, b"x" * (1 << 20))] * 20], "more of 'a'"),
        ([stat("a", size=1), Packet(type=Packet.PACKET_FIN)], "early"),
        ([Packet(type=Packet.PACKET_ERR, data=b"gone \x1b[31m")], "can't send its files: gone"),
        ([stat("a", size=1), stat("a", size=1), END], "where it can't be"),
        ([EngineError("no such context")], "no such context"),
    ],
    ids=[
        "up",
        "absolute",
        "orphan",
        "below-link",
        "hard-link",
        "unknown",
        "endless",
        "early",
        "error",
        "twice",
        "raises",
    ],
)
async def test_a_client_that_lies_gets_an_error(pydd: Pydd, script: list[Packet], words: str) -> None:
    files = ScriptedFiles(DOCKERFILE, script)
    async with connected(pydd.config.socket_path, [files]) as client:
        with pytest.raises(PydError, match=words) as caught:
            await client.build()
    assert "\x1b" not in caught.value.message
    assert "b" not in os.listdir("/var/tmp")  # noqa: PTH208 - nothing to wait for
    await honest(pydd)


async def test_a_client_that_vanishes_in_the_middle_of_its_context(pydd: Pydd) -> None:
    never = asyncio.Event()
    files = ScriptedFiles(DOCKERFILE, [stat("a", size=10), END, data(0, b"1"), never])
    async with connected(pydd.config.socket_path, [files]) as client, TaskOwner(on_error=lambda _: None) as owner:
        building = owner.start(client.build())
        await files.begun.wait()
        client.vanish()
        with pytest.raises(PydError):
            await building
    await honest(pydd)


async def test_a_client_that_stalls_holds_up_no_other_and_ends_with_its_call(pydd: Pydd) -> None:
    never = asyncio.Event()
    files = ScriptedFiles(DOCKERFILE, [stat("a", size=10), END, never])
    async with connected(pydd.config.socket_path, [files]) as client, TaskOwner(on_error=lambda _: None) as owner:
        ref = "stalls"
        building = owner.start(client.build(ref))
        await files.begun.wait()
        await honest(pydd)
        building.cancel()
        with calls():  # the progress ends when the build has ended
            assert isinstance(await client.control.Status(control_pb2.StatusRequest(Ref=ref)), list)
    await honest(pydd)


async def test_a_session_that_is_not_open_is_named(pydd: Pydd) -> None:
    async with connected(pydd.config.socket_path, []) as client:
        client.session_id = "nosuchsession"
        with pytest.raises(NotFound, match="no active session for nosuchsession"):
            await client.build()


async def test_a_client_without_services_gets_the_reason(pydd: Pydd) -> None:
    async with connected(pydd.config.socket_path, []) as client:
        with pytest.raises(PydError, match="sends no directories"):
            await client.build()


@pytest.mark.parametrize(
    "definition",
    [
        definition_of(b"\xff\xff\xff"),
        definition_of(ops_pb2.Op(inputs=[ops_pb2.Input(digest="sha256:0")]).SerializeToString()),
        definition_of(b"", b""),
    ],
    ids=["garbage", "missing-input", "empty"],
)
async def test_a_definition_that_is_none_is_refused(pydd: Pydd, definition: ops_pb2.Definition) -> None:
    async with connected(pydd.config.socket_path, []) as client:
        with pytest.raises(PydError), calls():
            await client.control.Solve(control_pb2.SolveRequest(Ref="bad", Definition=definition))


async def test_requests_that_make_no_sense_are_refused_by_name(pydd: Pydd) -> None:
    async with connected(pydd.config.socket_path, []) as client:
        with pytest.raises(InvalidInput, match="reference"), calls():
            await client.control.Solve(control_pb2.SolveRequest(Ref="x" * 300))
        with pytest.raises(PydError, match=r"docker\.io/evil"), calls():
            await client.control.Solve(
                control_pb2.SolveRequest(Ref="f", Frontend="gateway.v0", FrontendAttrs={"source": "docker.io/evil"})
            )
        with pytest.raises(NotFound, match="no such job"), calls():
            await gateway_grpc.LLBBridgeStub(client.channel).Solve(gateway_pb2.SolveRequest())
        with pytest.raises(NotFound), calls():
            await client.control.UpdateBuildHistory(control_pb2.UpdateBuildHistoryRequest(Ref="nosuch", Delete=True))
        with pytest.raises(InvalidInput), calls():
            await client.control.ListenBuildHistory(control_pb2.BuildHistoryRequest(Filter=["x"], EarlyExit=True))
        with pytest.raises(Unsupported), calls():
            await client.control.Session([control_pb2.BytesMessage()])


async def test_two_sessions_cannot_have_one_id(pydd: Pydd) -> None:
    async with connected(pydd.config.socket_path, []) as client:
        reader, writer = await asyncio.open_unix_connection(pydd.config.socket_path)
        head = f"X-Docker-Expose-Session-Uuid: {client.session_id}\r\n"
        writer.write(f"POST /session HTTP/1.1\r\nHost: e\r\nUpgrade: h2c\r\n{head}\r\n".encode())
        assert b" 409 " in await reader.readline()
        writer.close()


@pytest.mark.parametrize("path", ["/session", "/grpc"])
async def test_other_protocols_are_refused(pydd: Pydd, path: str) -> None:
    for upgrade in ("", "Upgrade: websocket\r\n"):
        reader, writer = await asyncio.open_unix_connection(pydd.config.socket_path)
        writer.write(f"POST {path} HTTP/1.1\r\nHost: e\r\n{upgrade}\r\n".encode())
        assert b" 400 " in await reader.readline()
        writer.close()


async def test_noise_in_place_of_http2_ends_only_its_own_connection(pydd: Pydd) -> None:
    noise = random.Random(7)
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    for number in range(200):
        reader, writer = await upgraded(pydd.config.socket_path, "/grpc")
        frames = b""
        for _ in range(noise.randrange(1, 6)):
            payload = noise.randbytes(noise.randrange(0, 200))
            kind, flags, stream = noise.randrange(0, 12), noise.randrange(0, 256), noise.randrange(0, 5)
            frames += len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
        writer.write((preface if number % 4 else b"") + frames)
        writer.write_eof()
        while await reader.read(1 << 16):
            pass
        writer.close()
    await honest(pydd)


async def test_messages_that_are_none_end_only_their_own_call(pydd: Pydd) -> None:
    async with connected(pydd.config.socket_path, []) as client:
        for payload in (b"\x00\x00\x00\x00\x03\xff\xff\xff", b"\x01\x00\x00\x00\x00", b"\x00\xff\xff\xff\xff"):
            with pytest.raises((PydError, Exception)):
                await _call_with(client, payload)
        assert (await client.control.Info(control_pb2.InfoRequest())).buildkitVersion.package == "pyd"


async def _call_with(client: BuildClient, payload: bytes) -> None:
    with calls():
        async with control_grpc.ControlStub(client.channel).Info.open() as stream:
            await stream.send_request()
            await stream._stream.send_data(payload, end_stream=True)
            stream._end_done = True
            await stream.recv_message()
