"""asyncio transport over a connection that was taken over from HTTP.

grpclib drives an `asyncio.Protocol` and writes to its transport. A connection that comes out of an HTTP upgrade is a
pair of coroutines instead, whether it runs over a unix socket, TLS or ssh.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from pyd_core.errors import StreamInterrupted
from pyd_core.tasks import TaskOwner

READ_BYTES = 256 * 1024
PAUSE_BYTES = 1024 * 1024
"""Bytes that wait to be written before the protocol is paused."""
RESUME_BYTES = 256 * 1024


class DuplexConnection(Protocol):
    """A connection of bytes both ways."""

    async def read(self, limit: int = 65536) -> bytes:
        """Return available data, at most `limit` bytes; empty at the end."""
        ...

    async def write(self, data: bytes) -> None:
        """Send all of `data`."""
        ...

    async def aclose(self) -> None:
        """Close the connection."""
        ...


class DuplexTransport(asyncio.Transport):
    """A transport that moves bytes between a protocol and a duplex connection.

    Args:
        duplex: The connection; closed with the transport.
        protocol: Receives what arrives.
        on_closed: Called once both directions have ended.
    """

    def __init__(
        self, duplex: DuplexConnection, protocol: asyncio.Protocol, on_closed: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__()
        self._duplex = duplex
        self._protocol = protocol
        self._on_closed = on_closed
        self._outgoing = bytearray()
        self._writable = asyncio.Event()
        self._closing = False
        self._paused = False
        self._lost = False
        self._tasks = TaskOwner()
        protocol.connection_made(self)
        self._reader = self._tasks.start(self._read(), name="duplex reader")
        self._writer = self._tasks.start(self._write(), name="duplex writer")

    async def wait_closed(self) -> None:
        """Wait until both directions have ended and the connection is closed."""
        await asyncio.gather(self._reader, self._writer, return_exceptions=True)
        await self._duplex.aclose()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Queue data."""
        if self._closing:
            return
        self._outgoing += data
        self._writable.set()
        if len(self._outgoing) > PAUSE_BYTES and not self._paused:
            self._paused = True
            self._protocol.pause_writing()

    def is_closing(self) -> bool:
        """Return whether the transport is closing or closed."""
        return self._closing

    def close(self) -> None:
        """Send what is queued, then close the connection."""
        if not self._closing:
            self._closing = True
            self._writable.set()

    def abort(self) -> None:
        """Close the connection without sending what is queued."""
        self._outgoing.clear()
        self.close()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ARG002 - the signature is asyncio's
        """Return the default: a connection behind HTTP has no socket to show."""
        return default

    async def _read(self) -> None:
        error: StreamInterrupted | None = None
        try:
            while data := await self._duplex.read(READ_BYTES):
                self._protocol.data_received(data)
        except StreamInterrupted as interruption:
            error = interruption
        finally:
            self._closing = True
            self._writable.set()
            self._lose(error)

    async def _write(self) -> None:
        try:
            while True:
                await self._writable.wait()
                self._writable.clear()
                while self._outgoing:
                    data = bytes(self._outgoing)
                    self._outgoing.clear()
                    await self._duplex.write(data)
                    if self._paused and len(self._outgoing) < RESUME_BYTES:
                        self._paused = False
                        self._protocol.resume_writing()
                if self._closing:
                    return
        except StreamInterrupted:
            self._closing = True
        finally:
            with suppress(Exception):
                await self._duplex.aclose()
            self._reader.cancel()
            self._lose(None)

    def _lose(self, error: Exception | None) -> None:
        if self._lost:
            return
        self._lost = True
        self._protocol.connection_lost(error)
        self._on_closed()
