"""A client of BuildKit's protocols for tests, whose services may misbehave."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pyd_core.buildkit.proto import control_grpc, control_pb2, filesync_grpc
from pyd_core.buildkit.proto.fsutil_stat_pb2 import Stat
from pyd_core.buildkit.proto.fsutil_wire_pb2 import Packet
from pyd_core.buildkit.rpc import server
from pyd_core.buildkit.rpc.channel import AdoptedChannel, calls, open_channel
from pyd_core.tasks import TaskOwner

DIFF_COPY = "/moby.filesync.v1.FileSync/DiffCopy"


async def upgraded(
    socket_path: Path, path: str, *headers: tuple[str, str]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connection that the engine has taken over."""
    reader, writer = await asyncio.open_unix_connection(socket_path)
    lines = [f"{name}: {value}\r\n" for name, value in headers]
    head = f"POST {path} HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n{''.join(lines)}\r\n"
    writer.write(head.encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 101 "), answer
    return reader, writer


class ScriptedFiles(filesync_grpc.FileSyncBase):
    """Serves one Dockerfile honestly, and the context by a script of packets.

    Args:
        dockerfile: The Dockerfile.
        script: Packets that are sent for the context; an exception is raised, an event is waited for.
    """

    def __init__(self, dockerfile: str, script: Sequence[Packet | Exception | asyncio.Event]) -> None:
        self._dockerfile = dockerfile.encode()
        self._script = script
        self.begun = asyncio.Event()

    async def DiffCopy(self, stream: Any) -> None:
        name = stream.metadata["dir-name"]
        if name == "dockerfile":
            await self._serve_dockerfile(stream)
            return
        self.begun.set()
        for packet in self._script:
            if isinstance(packet, Exception):
                raise packet
            if isinstance(packet, asyncio.Event):
                await packet.wait()
            else:
                await stream.send_message(packet)
        while (answer := await stream.recv_message()) is not None:
            if answer.type == Packet.PACKET_FIN:
                await stream.send_message(Packet(type=Packet.PACKET_FIN))
                return

    async def _serve_dockerfile(self, stream: Any) -> None:
        stat = Stat(path="Dockerfile", mode=0o644, size=len(self._dockerfile))
        await stream.send_message(Packet(type=Packet.PACKET_STAT, stat=stat))
        await stream.send_message(Packet(type=Packet.PACKET_STAT))
        while (answer := await stream.recv_message()) is not None:
            if answer.type == Packet.PACKET_REQ:
                await stream.send_message(Packet(type=Packet.PACKET_DATA, ID=answer.ID, data=self._dockerfile))
                await stream.send_message(Packet(type=Packet.PACKET_DATA, ID=answer.ID))
            elif answer.type == Packet.PACKET_FIN:
                await stream.send_message(Packet(type=Packet.PACKET_FIN))
                return

    async def TarStream(self, _stream: Any) -> None:
        raise AssertionError


class BuildClient:
    """A client with a session and a connection for calls."""

    def __init__(
        self, socket_path: Path, channel: AdoptedChannel, session_id: str, session: asyncio.StreamWriter
    ) -> None:
        self.socket_path = socket_path
        self.control = control_grpc.ControlStub(channel)
        self.channel = channel
        self.session_id = session_id
        self._session = session

    def vanish(self) -> None:
        """End the session as a client that was killed does."""
        self._session.transport.abort()

    async def build(self, ref: str = "", **fields: Any) -> dict[str, str]:
        """Build the Dockerfile and return the exporters' response."""
        request = control_pb2.SolveRequest(
            Ref=ref or uuid.uuid4().hex, Session=self.session_id, Frontend="dockerfile.v0", **fields
        )
        with calls():
            return dict((await self.control.Solve(request)).ExporterResponse)


@asynccontextmanager
async def connected(socket_path: Path, services: Sequence[Any]) -> AsyncIterator[BuildClient]:
    """Connect a client that serves services."""
    session_id = uuid.uuid4().hex
    methods = [("X-Docker-Expose-Session-Grpc-Method", path) for path in server.method_paths(services)]
    async with TaskOwner(on_error=lambda _: None) as owner:
        session = await upgraded(socket_path, "/session", ("X-Docker-Expose-Session-Uuid", session_id), *methods)
        owner.start(server.serve(services, *session))
        channel = await open_channel(*await upgraded(socket_path, "/grpc"))
        try:
            yield BuildClient(socket_path, channel, session_id, session[1])
        finally:
            session[1].transport.abort()
            channel.close()
            await channel.lost
