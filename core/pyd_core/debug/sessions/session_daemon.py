"""The daemon of a detached session: it reads the terminal so that the session never blocks, and answers its bash.

A client that attaches receives the descriptors themselves and uses the session without this process in between. This
process waits until the client leaves. Only the user who started a session can attach to it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from pyd_core.debug.bash import acknowledge, begin
from pyd_core.debug.channel import ASKS, JoinReport, Reports
from pyd_core.debug.sessions.debug_session import DebugSession
from pyd_core.debug.sessions.record import SOCKET, SessionEntry

CHUNK_BYTES = 65536
MAX_BACKLOG_BYTES = 65536
"""Bytes of output that are kept for the next client."""

_ENDINGS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


class AttachReply(msgspec.Struct):
    """The first message to a client that attaches; the missed output follows in the same message.

    Attributes:
        refused: Why it can't attach; empty when it can, and the descriptors come with the message.
        awaits_line: Whether bash waits for a line already.
    """

    refused: str = ""
    awaits_line: bool = msgspec.field(default=False, name="asked")


class SessionEnded(msgspec.Struct):
    """The message to an attached client at the end of the session."""

    code: int
    target_ended: bool


class CallRefuser(Protocol):
    """Refuses the builtins that bash calls."""

    def hold(self, answers: int, source: int) -> None:
        """Take the pipes: the one to write answers to, and the one to read requests from."""
        ...

    def refuse(self) -> None:
        """Refuse a request that has arrived."""
        ...


class SessionDaemon:
    """Keeps one session to its end.

    Args:
        session: The session to keep; not started yet.
        entry: Its record.
        ready: Called once it can be attached to.
        builtins: Definitions of the builtins' functions, for a bash that has pipes for them.
        calls: Refuses the builtins that bash calls while no client is attached.
    """

    def __init__(
        self,
        session: DebugSession,
        entry: SessionEntry,
        ready: Callable[[], None],
        *,
        builtins: bytes = b"",
        calls: CallRefuser | None = None,
    ) -> None:
        self._session = session
        self._entry = entry
        self._ready = ready
        self._builtins = builtins
        self._calls = calls
        self._descriptors: list[int] = []
        self._reports = Reports()
        self._backlog = b""
        self._awaits_line = False
        self._client: socket.socket | None = None
        self._alone_since = time.monotonic()
        self._has_ended = False

    def run(self) -> int:
        """Run until the session is over and return its exit code."""
        session = self._session
        session.on_opened = self._open
        for number in _ENDINGS:
            signal.signal(number, lambda *_: session.supervisor.end())
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(str(self._entry.path / SOCKET))
            listener.listen()
            session.start()
            while not self._has_ended:
                self._step(listener)
        code = 0
        try:
            code = session.result()
        finally:
            if self._client is not None:
                with contextlib.suppress(OSError):
                    self._client.send(msgspec.json.encode(SessionEnded(code, session.target_ended)))
                self._client.close()
        return code

    def _step(self, listener: socket.socket) -> None:
        sources = [self._session.status, listener.fileno()]
        if self._client is not None:
            sources.append(self._client.fileno())
        else:
            sources += self._descriptors[::2]
        ready = select.select(sources, [], [], self._time_left_s())[0]
        if not ready and self._time_left_s() == 0:
            self._session.supervisor.end()
            self._alone_since = time.monotonic()
        for source in ready:
            if source == self._session.status:
                self._has_ended = self._session.read_message()
            elif source == listener.fileno():
                self._accept(listener.accept()[0])
            elif self._client is not None and source == self._client.fileno():
                self._client_left(self._client)
            elif self._client is None and self._descriptors:
                self._read(source)

    def _time_left_s(self) -> float | None:
        ttl = self._entry.record.ttl
        if not ttl or self._client is not None:
            return None
        return max(0.0, self._alone_since + ttl - time.monotonic())

    def _open(self, descriptors: list[int]) -> None:
        self._descriptors = descriptors
        os.set_blocking(descriptors[0], False)
        _, _, _, *calls = descriptors
        if calls and self._calls is not None:
            self._calls.hold(*calls)
        begin(descriptors, self._builtins if calls else b"")

    def _read(self, source: int) -> None:
        if source in self._descriptors[4:]:
            if self._calls is not None:
                self._calls.refuse()
            return
        try:
            data = os.read(source, CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:  # the session is about to report its end
            self._descriptors = []
            return
        if source == self._descriptors[0]:
            self._backlog = (self._backlog + data)[-MAX_BACKLOG_BYTES:]
            return
        for message in self._reports.feed(data):
            if message == ASKS:
                self._awaits_line = True
            elif isinstance(message, JoinReport):
                acknowledge(self._descriptors)
                self._ready()
                self._ready = _nothing

    def _accept(self, client: socket.socket) -> None:
        uid = struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1]
        refused = ""
        if uid not in (0, os.geteuid()):
            refused = "it is another user's"
        elif self._client is not None:
            refused = "another client is attached to it"
        elif not self._descriptors:
            refused = "it is about to end"
        greeting = msgspec.json.encode(AttachReply(refused, self._awaits_line)) + b"\n"
        with contextlib.suppress(OSError):
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MAX_BACKLOG_BYTES * 4)
            if refused:
                client.send(greeting)
            else:
                socket.send_fds(client, [greeting + self._backlog], self._descriptors)
                self._client, self._backlog, self._awaits_line = client, b"", False
                self._write_entry()
                return
        client.close()

    def _client_left(self, client: socket.socket) -> None:
        """Continue without a client."""
        client.close()
        self._client = None
        self._alone_since = time.monotonic()
        self._write_entry()

    def _write_entry(self) -> None:
        self._entry.record.attached = self._client is not None
        with contextlib.suppress(OSError):
            self._entry.write()


def _nothing() -> None:
    return
