"""The accepting of connections, limited so that containers always have descriptors left."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Coroutine
from typing import Any

from pyd_core.daemon.limits import SCARCE
from pyd_core.tasks import TaskOwner

READER_LIMIT_BYTES = 1 << 18
MAX_ACCEPTED_AT_ONCE = 64
RETRY_INTERVAL_S = 0.5

log = logging.getLogger(__name__)

Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


class Clients:
    """All connections of an engine: how many are allowed, and which of them are idle.

    Args:
        max_connections: A quarter of the descriptors: one that is joined to a container takes three more.
    """

    def __init__(self, max_connections: int) -> None:
        self._most = max_connections
        self._count = 0
        self._waiting: dict[asyncio.StreamWriter, None] = {}
        self._paused: set[ApiListener] = set()

    def __len__(self) -> int:
        return self._count

    def waits(self, writer: asyncio.StreamWriter) -> None:
        """Mark a connection as idle: it carries no request yet, or only part of one."""
        self._waiting[writer] = None

    def works(self, writer: asyncio.StreamWriter) -> None:
        """Mark a connection as busy: a whole request has arrived."""
        self._waiting.pop(writer, None)

    def admits(self, listener: ApiListener) -> bool:
        """Return whether one more may connect; if not, close the longest idle one and resume `listener` later."""
        if self._count < self._most:
            return True
        oldest = next(iter(self._waiting), None)
        if oldest is not None:
            self.works(oldest)
            oldest.transport.abort()
        self._paused.add(listener)
        return False

    async def serve(self, connected: Connected, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Count a connection while it is served."""
        try:
            await connected(reader, writer)
        finally:
            self.works(writer)

    def entered(self) -> None:
        """Count a new connection."""
        self._count += 1

    def left(self) -> None:
        """Count a closed connection."""
        self._count -= 1
        paused, self._paused = self._paused, set()
        for listener in paused:
            listener.resume()


class ApiListener:
    """Accepts connections on a socket and serves each in a task of its own.

    Args:
        listening: The socket, which listens already.
        connected: Serves a connection until it is over.
        clients: Counts them all.
    """

    def __init__(self, listening: socket.socket, connected: Connected, clients: Clients) -> None:
        self._socket = listening
        self._socket.setblocking(False)
        self._connected = connected
        self._clients = clients
        self._tasks = TaskOwner(on_error=lambda error: log.error("a connection failed", exc_info=error))
        self._accepting = False
        self._retry: asyncio.TimerHandle | None = None

    def resume(self) -> None:
        """Accept connections from now on."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if not self._accepting and self._socket.fileno() >= 0:
            self._accepting = True
            asyncio.get_running_loop().add_reader(self._socket.fileno(), self._accept)

    def _pause(self) -> None:
        if self._accepting:
            self._accepting = False
            asyncio.get_running_loop().remove_reader(self._socket.fileno())

    def _accept(self) -> None:
        for _ in range(MAX_ACCEPTED_AT_ONCE):
            if not self._clients.admits(self):
                self._pause()
                return
            try:
                client, _address = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in SCARCE:
                    raise
                log.warning("no connection can be accepted just now: %s", error.strerror)
                self._pause()
                self._retry = asyncio.get_running_loop().call_later(RETRY_INTERVAL_S, self.resume)
                return
            self._clients.entered()
            self._tasks.start(self._serve(client))

    async def _serve(self, client: socket.socket) -> None:
        try:
            client.setblocking(False)
            reader = asyncio.StreamReader(limit=READER_LIMIT_BYTES)
            protocol = asyncio.StreamReaderProtocol(reader)
            loop = asyncio.get_running_loop()
            try:
                transport, _ = await loop.connect_accepted_socket(lambda: protocol, client)
            except BaseException:
                client.close()
                raise
            writer = asyncio.StreamWriter(transport, protocol, reader, loop)
            await self._clients.serve(self._connected, reader, writer)
        finally:
            self._clients.left()

    async def aclose(self) -> None:
        """Stop listening and close the connections."""
        self._pause()
        if self._retry is not None:
            self._retry.cancel()
        self._socket.close()
        await self._tasks.aclose()
