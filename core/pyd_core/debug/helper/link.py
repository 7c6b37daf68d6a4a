"""The client's end of the connection to the agent in a helper container."""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Iterator
from typing import Any

import msgspec

from pyd_core.client.frames import STDOUT, FrameDecoder
from pyd_core.debug.failures import failure
from pyd_core.debug.helper import wire
from pyd_core.debug.toolbox import PREFIX
from pyd_core.errors import PydError, StreamInterrupted
from pyd_core.sanitise import safe_bytes

_CHUNK = 65536
_MAX_STDERR_BYTES = 4096


class TargetFacts(msgspec.Struct, frozen=True):
    """The agent's facts about the target (`agent.look`)."""

    pid: int
    start: int
    status: str
    uid_map: str
    gid_map: str
    own: str
    passwd: bytes
    exists: list[str]
    tools: list[str]
    namespaces: list[str]


class AgentLink:
    """Messages to and from an agent; nothing here waits but `ask` and `wait`.

    Args:
        stream: Attached to the helper container.
        arrived: Bytes that have been read from the stream already.
        target: The container's name, safe to show in errors.
    """

    def __init__(self, stream: socket.socket, arrived: bytes, target: str) -> None:
        self._stream = stream
        self._target = target
        self._frames = FrameDecoder()
        self._messages = wire.MessageDecoder()
        self._outgoing = bytearray()
        self._pending = arrived
        self._words = b""

    def fileno(self) -> int:
        """The descriptor to wait on, for `events`."""
        return self._stream.fileno()

    def close(self) -> None:
        """Close this end of the connection; processes that inherited it keep theirs."""
        self._stream.close()

    def boot(self) -> None:
        """Give the helper its program."""
        self._outgoing += wire.program()
        self.flush()

    @property
    def events(self) -> int:
        """The events to wait for, as in poll(2)."""
        return select.POLLIN | (select.POLLOUT if self._outgoing else 0)

    @property
    def words(self) -> str:
        """The helper's error output, safe to show."""
        return safe_bytes(self._words.strip())

    def post(self, kind: bytes, channel: int, data: bytes = b"") -> None:
        """Send a message, as soon as the connection takes it."""
        self._outgoing += wire.message(kind, channel, data)
        self.flush()

    def flush(self) -> None:
        """Send what the connection takes now."""
        while self._outgoing:
            try:
                sent = self._stream.send(self._outgoing[:_CHUNK], socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
            except BlockingIOError:
                return
            except OSError:  # what is still to be read says more
                self._outgoing.clear()
                return
            del self._outgoing[:sent]

    def receive(self) -> Iterator[tuple[bytes, int, bytes]]:
        """Yield the messages that have arrived: kind, channel, content; wait for some of it.

        Raises:
            StreamInterrupted: The helper has ended.
        """
        data, self._pending = self._pending, b""
        if not data:
            with contextlib.suppress(OSError):
                data = self._stream.recv(_CHUNK)
        if not data:
            raise StreamInterrupted("the helper container has ended", hint=self.words)
        for frame in self._frames.feed(data):
            if frame.stream == STDOUT:
                yield from self._messages.feed(frame.data)
            else:
                self._words = (self._words + frame.data)[-_MAX_STDERR_BYTES:]

    def wait(self) -> Iterator[tuple[bytes, int, bytes]]:
        """Send what is to be sent until something arrives, and yield it."""
        poll = select.poll()
        while not self._pending:
            poll.register(self, self.events)
            ready = poll.poll()[0][1]
            if ready & select.POLLOUT:
                self.flush()
            if ready & ~select.POLLOUT:
                break
        yield from self.receive()

    def try_out(self, plan: dict[str, Any]) -> None:
        """Carry a plan out with a command that does nothing.

        Raises:
            PydError: It can't be carried out here.
        """
        nothing = {**plan, "argv": [f"{PREFIX}/bin/true"], "terminal": None}
        self.post(b"R", 0, msgspec.json.encode(nothing))
        failed: PydError | None = None
        while True:
            for kind, _, content in self.wait():
                if kind == b"m" and content.startswith(b"error\0"):
                    call, number, subject = content.decode(errors="replace").split("\0")[1:]
                    failed = failure(call, int(number), subject, target=self._target)
                elif kind == b"z" and failed is not None:
                    raise failed
                elif kind == b"z":
                    return

    def look(self, *, pid: int, container: str, init: bool, paths: list[str], tools: list[str]) -> TargetFacts:
        """Have the agent find the target.

        Raises:
            PydError: It isn't there, or may not be seen.
        """
        request = {"pid": pid, "id": container, "init": init, "paths": paths, "tools": tools}
        self.post(b"L", 0, msgspec.json.encode(request))
        while True:
            for kind, _, content in self.wait():
                if kind == b"l":
                    return msgspec.json.decode(content, type=TargetFacts)
                if kind == b"f":
                    call, number, subject = msgspec.json.decode(content, type=tuple[str, int, str])
                    raise failure(call, number, subject, target=self._target)
