"""A client's connection to a session that another process keeps."""

from __future__ import annotations

import socket
from collections.abc import Callable

import msgspec

from pyd_core.debug.sessions.record import SOCKET, SessionRecord, sessions_root
from pyd_core.debug.sessions.session_daemon import MAX_BACKLOG_BYTES, AttachReply, SessionEnded
from pyd_core.errors import Conflict, NotFound, Unsupported

DESCRIPTOR_COUNTS = (3, 5)
"""The pty's master and the pipes of the conversation with bash; then the two for builtins that bash calls."""
MAX_DESCRIPTORS = max(DESCRIPTOR_COUNTS)


class Attached:
    """The way to a kept session; a `pyd_core.debug.bash.BashChannel`.

    Args:
        record: The session.
        show: Receives the output from the time without a client.

    Raises:
        PydError: It can't be attached to.
    """

    def __init__(self, record: SessionRecord, show: Callable[[bytes], None]) -> None:
        if not record.detachable:
            raise Unsupported(
                f"session {record.id} has its own terminal", hint="one to come back to: pyd debug --detach NAME"
            )
        self.on_opened: Callable[[list[int]], None] = lambda _descriptors: None
        self.awaits_line = False
        self.has_calls = False
        """Whether bash can call builtins."""
        self.target_ended = False
        self._code = 128 + 9
        self._id = record.id
        self._show = show
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._socket.connect(str(sessions_root() / record.id / SOCKET))
        except OSError as error:
            raise NotFound(f"session {record.id} has ended", reference="no-such-session") from error

    @property
    def status(self) -> int:
        """See `BashChannel`."""
        return self._socket.fileno()

    def start(self) -> None:
        """See `BashChannel`."""
        message, descriptors, _, _ = socket.recv_fds(self._socket, MAX_BACKLOG_BYTES * 2, MAX_DESCRIPTORS)
        head, _, missed = message.partition(b"\n")
        if not head:
            raise NotFound(f"session {self._id} has ended", reference="no-such-session")
        greeting = msgspec.json.decode(head, type=AttachReply)
        if greeting.refused or len(descriptors) not in DESCRIPTOR_COUNTS:
            raise Conflict(f"session {self._id}: {greeting.refused}", reference="session-in-use")
        self.awaits_line = greeting.awaits_line
        self.has_calls = len(descriptors) == MAX_DESCRIPTORS
        self._show(missed)
        self.on_opened(descriptors)

    def read_message(self) -> bool:
        """See `BashChannel`."""
        message = self._socket.recv(4096)
        if message:
            farewell = msgspec.json.decode(message, type=SessionEnded)
            self._code, self.target_ended = farewell.code, farewell.target_ended
        return True

    def result(self) -> int:
        """See `BashChannel`."""
        return self._code

    def leave(self) -> None:
        """Leave the session to its daemon."""
        self._socket.close()
