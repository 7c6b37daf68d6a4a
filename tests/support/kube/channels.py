"""The channels of exec and attach: over a WebSocket, or over streams of SPDY."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any, Protocol

from pyd_core.tasks import TaskOwner
from support.kube.spdy import SpdySession, SpdyStream
from support.kube.wire import Request, ServerSocket

STDIN, STDOUT, STDERR, RESULT, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
NAMES = {"stdin": STDIN, "stdout": STDOUT, "stderr": STDERR, "error": RESULT, "resize": RESIZE}


class Channels(Protocol):
    """The channels between a client and a process."""

    async def open(self) -> None:
        """Wait until the client has opened its channels."""

    async def send(self, channel: int, data: bytes) -> None:
        """Send to a channel."""

    async def receive(self) -> tuple[int, bytes] | None:
        """Return what the client sends next: its channel and data, CLOSE with the channel closed; None at the end."""

    async def finish(self, result: dict[str, Any]) -> None:
        """Send the result and end."""


class SocketChannels:
    """Channels of a WebSocket: the first byte of a message is the channel."""

    def __init__(self, socket: ServerSocket) -> None:
        self._socket = socket

    async def open(self) -> None:
        """Send the empty frame that a kubelet starts with."""
        await self._socket.send(bytes([STDOUT]))

    async def send(self, channel: int, data: bytes) -> None:
        """Send to a channel."""
        await self._socket.send(bytes([channel]) + data)

    async def receive(self) -> tuple[int, bytes] | None:
        """Return the client's next message; None at the end."""
        while (frame := await self._socket.receive()) is not None and frame[0] != 8:
            opcode, data = frame
            if opcode == 9:
                await self._socket.send(data, opcode=10)
            elif opcode in {1, 2} and data:
                return data[0], data[1:]
        return None

    async def finish(self, result: dict[str, Any]) -> None:
        """Send the result and close."""
        await self._socket.send(bytes([RESULT]) + json.dumps(result).encode())
        await self._socket.close()


class SpdyChannels:
    """Channels of a SPDY connection: streams with a `streamtype`."""

    def __init__(self, session: SpdySession, request: Request) -> None:
        self._session = session
        tty = request.flag("tty")
        expected = {"error", *(name for name in ("stdin", "stdout", "stderr") if request.flag(name))}
        self._expected = (expected - {"stderr"} if tty else expected) | ({"resize"} if tty else set())
        self._streams: dict[int, SpdyStream] = {}
        self._incoming: asyncio.Queue[tuple[int, bytes] | None] = asyncio.Queue()
        self._tasks = TaskOwner(lambda _: None)
        self._complete = asyncio.Event()

    async def open(self) -> None:
        """Wait until the client has opened all streams."""
        self._tasks.start(self._serve())
        await self._complete.wait()

    async def _serve(self) -> None:
        async for stream in self._session.streams():
            channel = NAMES[stream.headers["streamtype"]]
            self._streams[channel] = stream
            if channel in {STDIN, RESIZE}:
                self._tasks.start(self._copy(channel, stream))
            if {NAMES[name] for name in self._expected} <= self._streams.keys():
                self._complete.set()
        self._complete.set()
        self._incoming.put_nowait(None)

    async def _copy(self, channel: int, stream: SpdyStream) -> None:
        while data := await stream.read():
            self._incoming.put_nowait((channel, data))
        self._incoming.put_nowait((CLOSE, bytes([channel])))

    async def send(self, channel: int, data: bytes) -> None:
        """Send to a channel."""
        if data and channel in self._streams:
            await self._streams[channel].send(data)

    async def receive(self) -> tuple[int, bytes] | None:
        """Return what the client sends next; None at the end."""
        return await self._incoming.get()

    async def finish(self, result: dict[str, Any]) -> None:
        """Send the result, close all streams and end."""
        with suppress(ConnectionError):
            await self._streams[RESULT].send(json.dumps(result).encode(), end=True)
            for channel in (STDOUT, STDERR):
                if channel in self._streams:
                    await self._streams[channel].send(b"", end=True)
            await self._session.close()
        await self._tasks.aclose()
