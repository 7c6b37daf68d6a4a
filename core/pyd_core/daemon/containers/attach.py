"""Joining a client to a container's standard streams through conmon's attach socket.

The socket keeps packets apart: from conmon each begins with a byte, 2 for standard output and 3 for the error output;
to it go raw bytes for standard input. To the client, output is framed (Engine API, "Stream format") unless there is a
terminal.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from pyd_core.daemon.containers.detach import Detacher
from pyd_core.daemon.duplex import Wire
from pyd_core.errors import EngineError
from pyd_core.tasks import TaskOwner

PACKET = 32 << 10
INPUT = 8 << 10
"""Bytes conmon takes in one packet."""


def frame(stream: int, data: bytes) -> bytes:
    """Frames output for a client: stream 1 or 2, length, data."""
    return bytes((stream, 0, 0, 0)) + len(data).to_bytes(4, "big") + data


def unframed(framed: bytes) -> Iterator[bytes]:
    """Takes the frames off again."""
    at = 0
    while at < len(framed):
        end = at + 8 + int.from_bytes(framed[at + 4 : at + 8], "big")
        yield framed[at + 8 : end]
        at = end


def connect(bundle: Path) -> socket.socket:
    """Connects to the attach socket of a bundle, however long its path (`sun_path` has 108 bytes).

    Raises:
        EngineError: conmon isn't there any more.
    """
    made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
    try:
        directory = os.open(bundle, os.O_PATH | os.O_DIRECTORY)
        try:
            made.connect(f"/proc/self/fd/{directory}/attach")
        finally:
            os.close(directory)
    except OSError as error:
        made.close()
        raise EngineError(f"can't attach: {error.strerror}") from error
    return made


class Attachment:
    """One client joined, or about to be: it may attach before the container starts, so that no output is lost."""

    def __init__(
        self,
        *,
        tty: bool,
        framed: bool,
        stdin: bool,
        stdout: bool,
        stderr: bool,
        detach_keys: str = "",
        first: Callable[[], list[bytes]] = list,
        detached: Callable[[], None] = lambda: None,
    ) -> None:
        self._tty = tty
        self._framed = framed
        self._stdin = stdin
        self._wanted = {2: stdout, 3: stderr}
        self._keys = detach_keys
        self._first = first
        """What was printed before, already framed."""
        self._detached = detached
        """Called when the client leaves by its keys."""
        self._socket: asyncio.Future[socket.socket | None] = asyncio.get_running_loop().create_future()

    def open(self, bundle: Path) -> None:
        """Connects; called when the container is created and not yet started, or at once when it runs."""
        if not self._socket.done():
            self._socket.set_result(connect(bundle))

    def give_up(self) -> None:
        """Lets the client go: the container never started."""
        if not self._socket.done():
            self._socket.set_result(None)

    async def serve(self, wire: Wire) -> None:
        """Copies both ways until the container ends, the client leaves, or it types the detach keys."""
        for piece in self._first():
            wire.write(piece)
        link = await self._socket
        if link is None:
            return
        # Closed when nothing waits for it any more: whoever got its number next would wait for the event loop in vain.
        with link:
            async with TaskOwner() as owner:
                left = asyncio.Event()
                sending = owner.start(self._output(link, wire))
                owner.start(self._input(link, wire, left))
                gone = owner.start(left.wait())
                await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)

    async def _output(self, link: socket.socket, wire: Wire) -> None:
        loop = asyncio.get_running_loop()
        try:
            while packet := await loop.sock_recv(link, PACKET):
                if not self._wanted.get(packet[0]):
                    continue
                data = packet[1:]
                wire.write(frame(packet[0] - 1, data) if self._framed else data)
                await wire.drain()
        except ConnectionError:
            pass

    async def _input(self, link: socket.socket, wire: Wire, left: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        detacher = Detacher(self._keys) if self._tty and self._stdin else None
        try:
            data = await wire.read()
            while data:
                if self._stdin:
                    if detacher is not None:
                        data, detached = detacher.feed(data)
                        if detached:
                            self._detached()
                            left.set()
                            return
                    for at in range(0, len(data), INPUT):
                        await loop.sock_sendall(link, data[at : at + INPUT])
                data = await wire.read()
            if self._stdin:
                link.shutdown(socket.SHUT_WR)
        except (ConnectionError, OSError):
            pass
        if wire.closing:
            left.set()
