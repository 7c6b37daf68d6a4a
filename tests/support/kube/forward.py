"""Port forwarding as a kubelet serves it: over a WebSocket's channels, or over SPDY within one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pyd_core.tasks import TaskOwner
from support.kube.spdy import SpdySession, SpdyStream
from support.kube.wire import ServerSocket

Connect = Callable[[int], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
"""Connect to a port of the pod; raises OSError."""


async def forward_channels(socket: ServerSocket, port: int, connect: Connect) -> None:
    """Relay to a port over the channels 0 (data) and 1 (errors), each of which begins with the port."""
    number = port.to_bytes(2, "little")
    await socket.send(b"\x00" + number)
    await socket.send(b"\x01" + number)
    try:
        reader, writer = await connect(port)
    except OSError:
        await socket.send(b"\x01" + f"error forwarding port {port} to pod: connection refused".encode())
        await socket.close()
        return
    async with TaskOwner(lambda _: None) as tasks:

        async def receive() -> None:
            while (frame := await socket.receive()) is not None and frame[0] != 8:
                writer.write(frame[1][1:])
                await writer.drain()
            writer.close()

        tasks.start(receive())
        while data := await reader.read(8192):
            await socket.send(b"\x00" + data)
        await socket.close()
    writer.close()


class SpdyForward:
    """Connections to ports over SPDY: for each an error stream and a data stream with the same `requestid`."""

    def __init__(self, session: SpdySession, connect: Connect) -> None:
        self._session, self._connect = session, connect
        self._errors: dict[str, SpdyStream] = {}

    async def serve(self) -> None:
        """Relay until the client ends the connection."""
        async with TaskOwner(lambda _: None) as tasks:
            async for stream in self._session.streams():
                request = stream.headers.get("requestid", "")
                if stream.headers.get("streamtype") == "error":
                    self._errors[request] = stream
                else:
                    tasks.start(self._relay(stream, self._errors.pop(request)))

    async def _relay(self, data: SpdyStream, errors: SpdyStream) -> None:
        port = int(data.headers["port"])
        try:
            reader, writer = await self._connect(port)
        except OSError as error:
            text = f"error forwarding port {port} to pod: failed to connect to localhost:{port}: {error.strerror}"
            await errors.send(text.encode(), end=True)
            await data.send(b"", end=True)
            return
        async with TaskOwner(lambda _: None) as tasks:

            async def receive() -> None:
                while received := await data.read():
                    writer.write(received)
                    await writer.drain()
                writer.write_eof()

            tasks.start(receive())
            while received := await reader.read(8192):
                await data.send(received)
            await data.send(b"", end=True)
            await errors.send(b"", end=True)
        writer.close()
