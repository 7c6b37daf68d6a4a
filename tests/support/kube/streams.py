"""Exec, attach and port-forward of a scripted API server: the handshake, and what serves the streams after it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pyd_core.tasks import TaskOwner
from support.kube.channels import Channels, SocketChannels, SpdyChannels
from support.kube.exec import Program, serve_exec
from support.kube.forward import SpdyForward, forward_channels
from support.kube.logs import container_of
from support.kube.objects import Object
from support.kube.resources import Target
from support.kube.spdy import SpdySession
from support.kube.wire import Answer, Request, ServerSocket, status

if TYPE_CHECKING:
    from support.kube.server import ScriptedCluster

TUNNEL = "SPDY/3.1+portforward.k8s.io"
V5_SINCE, TUNNEL_SINCE = 30, 31
"""Minor versions since which servers speak `v5.channel.k8s.io`, and port-forward within a WebSocket."""


class SocketPipe:
    """The messages of a WebSocket as one stream of bytes."""

    def __init__(self, socket: ServerSocket) -> None:
        self._socket = socket
        self._buffer = b""

    async def read(self, size: int) -> bytes:
        """Return exactly this number of bytes."""
        while len(self._buffer) < size:
            frame = await self._socket.receive()
            if frame is None or frame[0] == 8:
                raise EOFError
            if frame[0] in {0, 1, 2}:
                self._buffer += frame[1]
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    async def write(self, data: bytes) -> None:
        """Send bytes as a message."""
        await self._socket.send(data)


class ConnectionPipe:
    """A plain connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def read(self, size: int) -> bytes:
        """Return exactly this number of bytes."""
        try:
            return await self._reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise EOFError from error

    async def write(self, data: bytes) -> None:
        """Send bytes."""
        self._writer.write(data)
        await self._writer.drain()


class Streams:
    """Serves streams of pods.

    Args:
        cluster: The cluster with the pods.
    """

    def __init__(self, cluster: ScriptedCluster) -> None:
        self._cluster = cluster

    async def serve(  # noqa: PLR0911 - a refusal for each reason
        self, request: Request, target: Target, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Answer | None:
        """Serve a request for streams; returns its refusal, or None once the streams have ended."""
        pod = self._cluster.objects.get("pods", target.namespace, target.name)
        if pod is None:
            details = {"name": target.name, "kind": "pods"}
            return status(404, "NotFound", f'pods "{target.name}" not found', details=details)
        kind = request.headers.get("upgrade", "").lower()
        if kind == "websocket" and self._cluster.faults.refuses_websockets:
            return Answer(403, b"")
        if kind not in {"websocket", "spdy/3.1"}:
            text = "Upgrade request required"
            return status(400, "BadRequest", text)
        if target.sub == "portforward":
            return await self._forward(request, pod, reader, writer)
        chosen = container_of(request, pod)
        if isinstance(chosen, Answer):
            return chosen
        if not is_running(pod, chosen):
            return Answer(500, f'container not found ("{chosen}")'.encode())
        channels = await self._channels(request, reader, writer)
        if isinstance(channels, Answer):
            return channels
        await serve_exec(channels, self._program(request, target, pod, chosen))
        return None

    def _program(self, request: Request, target: Target, pod: Object, container: str) -> Program:
        runtime, tty = self._cluster.runtime, request.flag("tty")
        arguments = request.query.get("command", [])
        if target.sub == "exec":
            command = runtime.exec_command(pod, container, arguments, tty=tty)
        else:
            command = runtime.attach_command(pod, container)
        return Program(
            command=command,
            tty=tty,
            stdin=request.flag("stdin"),
            environment=self._cluster.environment,
            name=(arguments or [""])[0],
        )

    async def _channels(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Channels | Answer:
        if request.headers.get("upgrade", "").lower() == "websocket":
            offered = [text.strip() for text in request.headers.get("sec-websocket-protocol", "").split(",")]
            spoken = self._cluster.protocols[0 if self._cluster.faults.minor >= V5_SINCE else -1 :]
            protocol = next((protocol for protocol in spoken if protocol in offered), "")
            if not protocol:
                return Answer(403, b"")
            socket = ServerSocket(reader, writer)
            await socket.accept(request, protocol)
            return SocketChannels(socket)
        offered = [text.strip() for text in request.headers.get("x-stream-protocol-version", "").split(",")]
        if "v4.channel.k8s.io" not in offered:
            return Answer(403, b"")
        await upgrade_to_spdy(writer, "v4.channel.k8s.io")
        return SpdyChannels(SpdySession(ConnectionPipe(reader, writer)), request)

    async def _forward(
        self, request: Request, pod: Object, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Answer | None:
        async def connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            return await self._cluster.runtime.connect(pod, port)

        if request.headers.get("upgrade", "").lower() == "spdy/3.1":
            await upgrade_to_spdy(writer, "portforward.k8s.io")
            await SpdyForward(SpdySession(ConnectionPipe(reader, writer)), connect).serve()
            return None
        protocol = request.headers.get("sec-websocket-protocol", "")
        socket = ServerSocket(reader, writer)
        if protocol == TUNNEL and self._cluster.faults.minor >= TUNNEL_SINCE:
            await socket.accept(request, TUNNEL)
            await SpdyForward(SpdySession(SocketPipe(socket)), connect).serve()
            return None
        if protocol != "v4.channel.k8s.io":
            return Answer(403, b"")
        await socket.accept(request, protocol)
        async with TaskOwner(lambda _: None):
            await forward_channels(socket, int(request.text("ports")), connect)
        return None


async def upgrade_to_spdy(writer: asyncio.StreamWriter, protocol: str) -> None:
    """Answer the handshake of SPDY."""
    head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
    writer.write(f"{head}X-Stream-Protocol-Version: {protocol}\r\n\r\n".encode())
    await writer.drain()


def is_running(pod: Object, container: str) -> bool:
    """Return whether a container runs; one without a status does."""
    known = pod.get("status") or {}
    fields = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
    states = [entry for field in fields for entry in known.get(field) or [] if entry["name"] == container]
    return all("running" in entry.get("state", {}) for entry in states)
