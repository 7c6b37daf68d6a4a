"""The attachment of a client to a container's standard streams, through conmon's attach socket.

The socket keeps packets apart: from conmon each begins with a byte, 2 for standard output and 3 for the error output;
to it go raw bytes for standard input. To the client, output is framed (Engine API, "Stream format") unless there is a
terminal.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pyd_core.daemon.backlog import Backlog
from pyd_core.daemon.duplex import UpgradedConnection
from pyd_core.detach_keys import DetachKeys, parse_keys
from pyd_core.errors import EngineError
from pyd_core.tasks import TaskOwner

PACKET = 32 << 10
MAX_INPUT_BYTES = 8 << 10
"""The largest packet that conmon takes."""
MAX_BACKLOG_BYTES = 1 << 30
"""How far a client may be behind its container's output."""
STALL_TIMEOUT_S = 60.0
"""After this time a client that is so far behind, and reads nothing, is disconnected."""
CONNECT_INTERVAL_S = 0.01

log = logging.getLogger(__name__)


def frame(stream: int, data: bytes) -> bytes:
    """Frame output for a client: stream 1 or 2, length, data."""
    return bytes((stream, 0, 0, 0)) + len(data).to_bytes(4, "big") + data


def unframed(framed: bytes) -> Iterator[bytes]:
    """Yield the contents of frames."""
    offset = 0
    while offset < len(framed):
        end = offset + 8 + int.from_bytes(framed[offset + 4 : offset + 8], "big")
        yield framed[offset + 8 : end]
        offset = end


async def connect(bundle: Path) -> socket.socket:
    """Connect to the attach socket of a bundle, also by a path that `sun_path` (108 bytes) can't hold.

    Raises:
        EngineError: conmon isn't there any more, or no descriptor is left.
    """
    while True:
        try:
            return _connect(bundle)
        except BlockingIOError:  # its queue of new connections is full
            await asyncio.sleep(CONNECT_INTERVAL_S)
        except OSError as error:
            raise EngineError(f"can't attach: {error.strerror}") from error


def _connect(bundle: Path) -> socket.socket:
    link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
    try:
        directory = os.open(bundle, os.O_PATH | os.O_DIRECTORY)
        try:
            link.connect(f"/proc/self/fd/{directory}/attach")
        finally:
            os.close(directory)
    except BaseException:
        link.close()
        raise
    return link


class Attachment:
    """A client's attachment; it may begin before the container starts, so that no output is lost.

    conmon writes to its attach sockets one after another and waits for each, so one that isn't read stops the
    container, its log and conmon itself. Whatever the client does, the socket is read: into a backlog, in memory and
    then in an unnamed file. Only a client that is a full backlog behind and still reads slows the container down, as
    in Docker Engine; one that has stopped reading by then is disconnected.

    The creator of an attachment must close it.
    """

    def __init__(
        self,
        *,
        tty: bool,
        framed: bool,
        stdin: bool,
        stdout: bool,
        stderr: bool,
        detach_keys: str = "",
        spool: Path | None = None,
        detached: Callable[[], None] = lambda: None,
    ) -> None:
        self._framed = framed
        self._stdin = stdin
        self._is_requested = {2: stdout, 3: stderr}
        self._detacher = DetachKeys(parse_keys(detach_keys)) if tty and stdin else None
        self._detached = detached
        """Called when the client detaches by its keys."""
        self._backlog = Backlog(MAX_BACKLOG_BYTES, spool)
        self._link: socket.socket | None = None
        self._ended: asyncio.Future[int] | None = None
        self._settled = asyncio.Event()
        """Set once it is connected or given up."""
        self._serving = False

    def put(self, data: bytes) -> None:
        """Add earlier output, already framed."""
        self._backlog.put(data)

    async def open(self, bundle: Path, ended: asyncio.Future[int] | None = None) -> None:
        """Connect to a container that is created but not started, or that runs.

        Args:
            bundle: The container's.
            ended: Resolves when the container's end is recorded; the client asks for that next, so it isn't released
                before.

        Raises:
            EngineError: conmon isn't there any more, or no descriptor is left. The client is let go.
        """
        if self._settled.is_set():
            return
        try:
            link = await connect(bundle)
        except EngineError:
            self.give_up()
            raise
        if self._settled.is_set():  # closed meanwhile
            link.close()
            return
        self._link, self._ended = link, ended
        self._settled.set()

    def give_up(self) -> None:
        """Release the client: the container never started."""
        self._settled.set()

    def release(self) -> None:
        """Read all remaining output: the container's main process has ended."""
        self._backlog.release()

    def close(self) -> None:
        """Close the attachment; safe to call again."""
        self._settled.set()
        self._backlog.close()
        if self._ended is not None:
            self._ended.cancel()
        if self._link is not None and not self._serving:
            self._link.close()

    async def serve(self, wire: UpgradedConnection) -> None:
        """Copy in both directions until the container ends, or the client leaves or types the detach keys."""
        self._serving = True
        try:
            async with TaskOwner() as owner:
                gone = owner.start(wire.hung_up())
                delivering = owner.start(self._deliver(wire))
                opening = owner.start(self._settled.wait())
                await asyncio.wait({opening, gone}, return_when=asyncio.FIRST_COMPLETED)
                if not opening.done():
                    return
                if self._link is None:
                    self._backlog.end()
                    await asyncio.wait({delivering, gone}, return_when=asyncio.FIRST_COMPLETED)
                    return
                # Closed once nothing waits for it: else the event loop would never see the next descriptor with its
                # number as ready.
                with self._link as link:
                    await self._copy(link, wire, gone, delivering)
        finally:
            self._serving = False
            self.close()

    async def _copy(
        self, link: socket.socket, wire: UpgradedConnection, gone: asyncio.Task[None], delivering: asyncio.Task[bool]
    ) -> None:
        async with TaskOwner() as owner:
            left = owner.start(self._input(link, wire))
            collecting = owner.start(self._collect(link))
            await asyncio.wait({collecting, delivering, left, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not collecting.done():
                return
            if not collecting.result():
                wire.abort()
                return
            self._backlog.end()
            await asyncio.wait({delivering, left, gone}, return_when=asyncio.FIRST_COMPLETED)
            if delivering.done() and delivering.result() and self._ended is not None:
                recorded: set[asyncio.Future[Any]] = {self._ended, left, gone}
                await asyncio.wait(recorded, return_when=asyncio.FIRST_COMPLETED)

    async def _collect(self, link: socket.socket) -> bool:
        """Read all that conmon sends; return False where the client is too far behind and has stopped reading."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                packet = await loop.sock_recv(link, PACKET)
            except ConnectionError:
                return True
            if not packet:
                return True
            if not self._is_requested.get(packet[0]):
                continue
            data = packet[1:]
            try:
                self._backlog.put(frame(packet[0] - 1, data) if self._framed else data)
            except OSError as error:
                log.warning("an attached client is cut off: no room for what it hasn't read: %s", error.strerror)
                return False
            while self._backlog.full:
                try:
                    await asyncio.wait_for(self._backlog.progress(), STALL_TIMEOUT_S)
                except TimeoutError:
                    log.warning(
                        "an attached client is cut off: it has stopped reading, %d bytes behind", MAX_BACKLOG_BYTES
                    )
                    return False

    async def _deliver(self, wire: UpgradedConnection) -> bool:
        """Send the client the collected output; return False when it has gone."""
        try:
            while data := await self._backlog.take():
                wire.write(data)
                await wire.drain()
        except ConnectionError:
            return False
        return not wire.closing

    async def _input(self, link: socket.socket, wire: UpgradedConnection) -> None:
        """Forward the client's input; return when the client has left."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):  # the container takes no more, or the client is gone
            while data := await wire.read():
                if not self._stdin:
                    continue
                if self._detacher is not None:
                    data, detached = self._detacher.feed(data)
                    if detached:
                        await self._send(loop, link, data)
                        self._detached()
                        return
                await self._send(loop, link, data)
            if self._stdin:
                link.shutdown(socket.SHUT_WR)
        if not wire.closing:
            await asyncio.Event().wait()

    async def _send(self, loop: asyncio.AbstractEventLoop, link: socket.socket, data: bytes) -> None:
        for offset in range(0, len(data), MAX_INPUT_BYTES):
            await loop.sock_sendall(link, data[offset : offset + MAX_INPUT_BYTES])
