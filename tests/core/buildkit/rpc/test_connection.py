"""gRPC in both directions over a connection of bytes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.protobuf import any_pb2
from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError

from pyd_core.buildkit.proto import errdefs_pb2, filesync_grpc, filesync_pb2, secrets_grpc, secrets_pb2
from pyd_core.buildkit.rpc.connection import DuplexChannel, DuplexServer
from pyd_core.buildkit.rpc.status import find_details
from pyd_core.errors import StreamInterrupted


class Pipe:
    """An end of a socket pair, as a duplex connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def read(self, limit: int = 65536) -> bytes:
        try:
            return await self.reader.read(limit)
        except OSError as error:
            raise StreamInterrupted("closed") from error

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        try:
            await self.writer.drain()
        except OSError as error:
            raise StreamInterrupted("closed") from error

    async def aclose(self) -> None:
        self.writer.close()


@pytest.fixture
async def pipes() -> AsyncIterator[list[Pipe]]:
    ends = [Pipe(*await asyncio.open_connection(sock=end)) for end in socket.socketpair()]
    yield ends
    for end in ends:
        await end.aclose()


class Secrets(secrets_grpc.SecretsBase):
    async def GetSecret(self, stream: Any) -> None:
        request = await stream.recv_message()
        if request.ID == "broken":
            detail = any_pb2.Any(
                type_url="github.com/moby/buildkit/errdefs.Vertex+json", value=b'{"digest": "sha256:12"}'
            )
            raise GRPCError(Status.NOT_FOUND, "no such secret", [errdefs_pb2.FrontendCap(name="x"), detail])
        await stream.send_message(secrets_pb2.GetSecretResponse(data=request.ID.encode() * 1000))


class Echo(filesync_grpc.FileSendBase):
    async def DiffCopy(self, stream: Any) -> None:
        while message := await stream.recv_message():
            await stream.send_message(message)


async def test_calls_and_their_errors_cross_the_connection(pipes: list[Pipe]):
    server = DuplexServer(pipes[0], [Secrets()])
    await server.start()
    channel = DuplexChannel(pipes[1])
    secrets = secrets_grpc.SecretsStub(channel)
    response = await secrets.GetSecret(secrets_pb2.GetSecretRequest(ID="token"))
    assert response.data == b"token" * 1000
    with pytest.raises(GRPCError) as failure:
        await secrets.GetSecret(secrets_pb2.GetSecretRequest(ID="broken"))
    assert failure.value.message == "no such secret"
    details = failure.value.details
    assert [vertex.digest for vertex in find_details(details, "errdefs.Vertex", errdefs_pb2.Vertex)] == ["sha256:12"]
    assert [cap.name for cap in find_details(details, "errdefs.FrontendCap", errdefs_pb2.FrontendCap)] == ["x"]
    await channel.aclose()
    await server.wait_closed()
    await server.aclose()


async def test_more_than_the_windows_and_buffers_hold_arrives_complete(pipes: list[Pipe]):
    server = DuplexServer(pipes[0], [Echo()])
    await server.start()
    channel = DuplexChannel(pipes[1])
    block = bytes(range(256)) * 1024
    async with filesync_grpc.FileSendStub(channel).DiffCopy.open() as stream:
        await stream.send_request()

        async def send() -> None:
            for _ in range(64):
                await stream.send_message(filesync_pb2.BytesMessage(data=block))
            await stream.end()

        sender = asyncio.get_running_loop().create_task(send())
        received = [message.data async for message in stream]
        await sender
    assert received == [block] * 64
    await channel.aclose()
    await server.aclose()


async def test_a_lost_connection_ends_the_calls(pipes: list[Pipe]):
    channel = DuplexChannel(pipes[1])
    await pipes[0].aclose()
    with pytest.raises((StreamTerminatedError, StreamInterrupted, ConnectionError)):
        await secrets_grpc.SecretsStub(channel).GetSecret(secrets_pb2.GetSecretRequest(ID="token"))
    await channel.aclose()


async def test_details_that_cannot_be_read_are_left_out():
    broken = any_pb2.Any(type_url="errdefs.Vertex", value=b"{no json")
    other = any_pb2.Any(type_url="errdefs.Vertex", value=b"\xff\xff\xff")
    assert find_details([broken, other, object()], "errdefs.Vertex", errdefs_pb2.Vertex) == []
