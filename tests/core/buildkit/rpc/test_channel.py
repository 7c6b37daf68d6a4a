from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from grpclib.exceptions import GRPCError, StreamTerminatedError
from h2.exceptions import StreamClosedError

from pyd_core.buildkit.proto import filesync_grpc, secrets_grpc, secrets_pb2
from pyd_core.buildkit.proto.fsutil_wire_pb2 import Packet
from pyd_core.buildkit.rpc import server
from pyd_core.buildkit.rpc.channel import AdoptedChannel, calls, open_channel
from pyd_core.buildkit.rpc.messages import pack, receive_batches, send_packed
from pyd_core.errors import EngineError, NotFound, StreamInterrupted
from pyd_core.tasks import TaskOwner


class DetailedError(NotFound):
    """An error with details for the client."""

    details = (AnyMessage(type_url="example/type", value=b"{}"),)


class Secrets(secrets_grpc.SecretsBase):
    """Knows one secret, and fails in different ways."""

    def __init__(self) -> None:
        self.waiting = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def GetSecret(self, stream: Any) -> None:
        request = await stream.recv_message()
        if request.ID == "wait":
            self.waiting.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled.set()
        if request.ID == "large":
            await stream.send_message(secrets_pb2.GetSecretResponse(data=b"x" * (20 << 20)))
            return
        if request.ID == "bug":
            raise ZeroDivisionError
        if request.ID != "known":
            raise DetailedError(f"no secret {request.ID}")
        await stream.send_message(secrets_pb2.GetSecretResponse(data=b"value"))


class Files(filesync_grpc.FileSyncBase):
    """Sends back the count and bytes of what arrives."""

    async def DiffCopy(self, stream: Any) -> None:
        count = size = 0
        async for packets in receive_batches(stream, Packet):
            count += len(packets)
            size += sum(len(packet.data) for packet in packets)
        await stream.send_message(Packet(ID=count, data=str(size).encode()))

    async def TarStream(self, stream: Any) -> None:
        for number in range(3):
            await stream.send_message(Packet(ID=number))
        await send_packed(stream, pack(Packet(ID=number) for number in range(3, 1000)))


class Stalled(Files):
    """Reads nothing."""

    async def DiffCopy(self, _stream: Any) -> None:
        await asyncio.Event().wait()


class Hasty(Files):
    """Ends a call without reading its requests, as servers in Go do."""

    async def DiffCopy(self, stream: Any) -> None:
        for number in range(3):
            await stream.send_message(Packet(ID=number))
        await stream.send_trailing_metadata()
        stream._stream.reset_nowait()


@asynccontextmanager
async def connected(
    services: list[Any], early: bytes = b""
) -> AsyncIterator[tuple[AdoptedChannel, asyncio.StreamWriter]]:
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_unix_connection(sock=ours)
    their_reader, their_writer = await asyncio.open_unix_connection(sock=theirs)
    async with TaskOwner(on_error=lambda _: None) as owner:
        owner.start(server.serve(services, their_reader, their_writer))
        channel = await open_channel(reader, writer)
        try:
            yield channel, writer
        finally:
            channel.close()
            await channel.lost


async def test_a_call_returns_its_response_or_the_error_with_its_details():
    async with connected([Secrets()]) as (channel, _):
        stub = secrets_grpc.SecretsStub(channel)
        assert (await stub.GetSecret(secrets_pb2.GetSecretRequest(ID="known"))).data == b"value"
        with pytest.raises(NotFound, match="no secret other") as caught, calls():
            await stub.GetSecret(secrets_pb2.GetSecretRequest(ID="other"))
        cause = caught.value.__cause__
        assert isinstance(cause, GRPCError)
        assert cause.details[0].type_url == "example/type"


async def test_an_unexpected_exception_is_reported_without_its_text():
    async with connected([Secrets()]) as (channel, _):
        with pytest.raises(EngineError, match="internal error: ZeroDivisionError"), calls():
            await secrets_grpc.SecretsStub(channel).GetSecret(secrets_pb2.GetSecretRequest(ID="bug"))


async def test_a_message_larger_than_the_window_arrives():
    async with connected([Secrets()]) as (channel, _):
        response = await secrets_grpc.SecretsStub(channel).GetSecret(secrets_pb2.GetSecretRequest(ID="large"))
        assert len(response.data) == 20 << 20


async def test_many_messages_travel_in_batches_beyond_both_windows():
    async with connected([Files()]) as (channel, _):
        async with filesync_grpc.FileSyncStub(channel).DiffCopy.open() as stream:
            await stream.send_request()
            for _ in range(90):
                await send_packed(stream, pack([Packet(data=b"y" * (1 << 20))]))
            await send_packed(stream, pack([Packet(ID=1)] * 5000))
            await stream.end()
            response = await stream.recv_message()
        assert response is not None
        assert (response.ID, response.data) == (5090, str(90 << 20).encode())


async def test_a_server_streams_single_and_packed_messages():
    async with connected([Files()]) as (channel, _):
        async with filesync_grpc.FileSyncStub(channel).TarStream.open() as stream:
            await stream.send_request()
            await stream.end()
            numbers = [packet.ID async for packet in stream]
        assert numbers == list(range(1000))


async def test_a_lost_connection_cancels_the_calls_of_both_sides():
    secrets = Secrets()
    async with connected([secrets]) as (channel, writer), TaskOwner(on_error=lambda _: None) as owner:

        async def call() -> None:
            with calls():
                await secrets_grpc.SecretsStub(channel).GetSecret(secrets_pb2.GetSecretRequest(ID="wait"))

        calling = owner.start(call())
        await secrets.waiting.wait()
        writer.transport.abort()
        await secrets.cancelled.wait()
        with pytest.raises(StreamInterrupted):
            await calling


async def test_a_lost_connection_ends_a_wait_for_batches_and_for_the_window():
    async with connected([Stalled()]) as (channel, writer), TaskOwner(on_error=lambda _: None) as owner:
        started = asyncio.Event()

        async def call() -> None:
            with calls():
                async with filesync_grpc.FileSyncStub(channel).DiffCopy.open() as stream:
                    await stream.send_request()

                    async def send() -> None:
                        while True:
                            await send_packed(stream, pack([Packet(data=b"y" * (8 << 20))]))
                            started.set()

                    async with TaskOwner(on_error=lambda _: None) as sending:
                        sending.start(send())
                        async for _ in receive_batches(stream, Packet):
                            raise AssertionError

        calling = owner.start(call())
        await started.wait()
        writer.transport.abort()
        with pytest.raises(StreamInterrupted):
            await calling


async def test_what_arrives_before_a_hasty_end_is_read():
    async with connected([Hasty()]) as (channel, _):
        numbers: list[int] = []

        async def call() -> None:
            async with filesync_grpc.FileSyncStub(channel).DiffCopy.open() as stream:
                await stream.send_request()
                await stream._stream.trailers_received.wait()
                async for packets in receive_batches(stream, Packet):
                    numbers.extend(packet.ID for packet in packets)
                await stream.end()

        with pytest.raises(StreamClosedError):
            await call()
        assert numbers == [0, 1, 2]


async def test_a_client_that_cancels_a_call_ends_it_on_the_server():
    secrets = Secrets()
    async with connected([secrets]) as (channel, _), TaskOwner() as owner:
        calling = owner.start(secrets_grpc.SecretsStub(channel).GetSecret(secrets_pb2.GetSecretRequest(ID="wait")))
        await secrets.waiting.wait()
        calling.cancel()
        await secrets.cancelled.wait()


@pytest.mark.parametrize(
    "hostile",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff\xff\xff\x00\x00\x00\x00\x00\x01",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x05\x01\x04\x00\x00\x00\x01\xff\xff\xff\xff\xff",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x03\x04\x00\x00\x00\x00\x00abc",
    ],
    ids=["http1", "huge-frame", "broken-headers", "broken-settings"],
)
async def test_what_is_not_http2_closes_the_connection(hostile: bytes):
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_unix_connection(sock=ours)
    their_reader, their_writer = await asyncio.open_unix_connection(sock=theirs)
    async with TaskOwner() as owner:
        serving = owner.start(server.serve([Secrets()], their_reader, their_writer))
        writer.write(hostile)
        await serving
        while await reader.read(1 << 16):
            pass
        writer.close()


async def test_a_client_that_ignores_its_window_is_cut_off():
    ours, theirs = socket.socketpair()
    their_reader, their_writer = await asyncio.open_unix_connection(sock=theirs)

    async with TaskOwner() as owner:
        serving = owner.start(server.serve([Stalled()], their_reader, their_writer))
        channel = await open_channel(*await asyncio.open_unix_connection(sock=ours))

        async def flood() -> None:
            async with filesync_grpc.FileSyncStub(channel).DiffCopy.open() as stream:
                await stream.send_request()
                frame = struct.pack(">HBBBI", 16, 0, 0, 0, 1) + b"z" * (16 << 8)
                while not channel.lost.done():
                    stream._stream._transport.write(frame)
                    await asyncio.sleep(0)
                await stream.recv_message()

        with pytest.raises(StreamTerminatedError):
            await flood()
        await serving
        channel.close()
