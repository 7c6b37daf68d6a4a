"""Several programs at a time over the connection to one agent."""

from __future__ import annotations

import contextlib
import itertools
import select
import signal
import socket
import struct
import threading
from typing import Any

import msgspec

from pyd_core.client.frames import STDOUT
from pyd_core.debug.access import CommandOutcome
from pyd_core.debug.failures import failure
from pyd_core.debug.helper import wire
from pyd_core.debug.helper.link import AgentLink
from pyd_core.errors import PydError, StreamInterrupted

_FRAME = struct.Struct(">B3xI")
"""The header of a frame of an engine's stream, as an `AgentLink` reads it."""
PIECE = 32768
UNTAKEN = 1 << 18
"""Bytes of input that may be on their way."""
UNREAD = 4 << 20
"""Bytes of output that wait for their reader; then nothing more is taken from the agent."""
MAX_OUTPUT_BYTES = 64 << 20
"""Bytes of output that are held for callers that take all of it at the end."""
MAX_STDERR_BYTES = 1 << 18
END_TIMEOUT_S = 5.0
"""Seconds between SIGTERM and SIGKILL."""


class Channels:
    """Starts programs by an agent; one thread takes what comes from it.

    Args:
        link: To the agent; used only here from now on.
        target: The container's name, safe to show in errors.
    """

    def __init__(self, link: AgentLink, target: str) -> None:
        self._link = link
        self.target = target
        self._sending = threading.Lock()
        self._numbers = itertools.count(1)
        self._programs: dict[int, ChannelProcess | RelayedProgram] = {}
        self._cut: PydError | None = None
        threading.Thread(target=self._take, name="helper", daemon=True).start()

    def start(self, plan: dict[str, Any]) -> ChannelProcess:
        """Start a program by its plan, as `join.supervise` takes it."""
        number = next(self._numbers)
        program = self._programs[number] = ChannelProcess(self, number)
        if self._cut is not None:
            program.cut(self._cut)
        self.post(b"R", number, msgspec.json.encode(plan))
        return program

    def relay(self, client: socket.socket) -> None:
        """Pass the messages of another process's `Channels` on until it closes its end, and end what it has started."""
        messages, programs = wire.MessageDecoder(), dict[int, RelayedProgram]()
        with contextlib.suppress(OSError):
            while self._cut is None and (data := client.recv(PIECE)):
                for kind, number, content in messages.feed(data):
                    if kind == b"R":
                        programs[number] = program = RelayedProgram(self, next(self._numbers), client, number)
                        self._programs[program.number] = program
                    if number in programs:
                        self.post(kind, programs[number].number, content)
        for program in programs.values():
            program.end()

    def close(self) -> None:
        """End all programs; those that died with the helper would be left to the target's first process to reap."""
        for program in list(self._programs.values()):
            program.end()

    def post(self, kind: bytes, number: int, data: bytes = b"") -> None:
        """Send a message, and return when the connection has taken it."""
        with self._sending:
            self._link.post(kind, number, data)
            poll = select.poll()
            poll.register(self._link, select.POLLOUT)
            while self._link.events & select.POLLOUT:
                poll.poll()
                self._link.flush()

    def _take(self) -> None:
        try:
            while True:
                for kind, number, content in self._link.receive():
                    program = self._programs.get(number)
                    if program is not None and program.take(kind, content):
                        del self._programs[number]
        except PydError as error:
            self._cut = error
        except OSError as error:
            self._cut = StreamInterrupted(f"the helper container is out of reach: {error.strerror}")
        for program in list(self._programs.values()):
            program.cut(self._cut)


class RelayedProgram:
    """A program of another process's, which has a number of its own for it.

    Args:
        channels: The connection to the agent.
        number: The program's number there.
        client: The other process's connection, read by an `AgentLink`.
        client_number: The program's number on it.
    """

    def __init__(self, channels: Channels, number: int, client: socket.socket, client_number: int) -> None:
        self.number = number
        self._channels = channels
        self._client = client
        self._client_number = client_number
        self._has_ended = False

    def take(self, kind: bytes, content: bytes) -> bool:
        """See `ChannelProcess`."""
        self._has_ended = self._has_ended or kind == b"z"
        data = wire.message(kind, self._client_number, content)
        with contextlib.suppress(OSError):  # the process has ended
            self._client.sendall(_FRAME.pack(STDOUT, len(data)) + data)
        return self._has_ended

    def cut(self, _error: PydError | None) -> None:
        """See `ChannelProcess`."""
        self._has_ended = True
        with contextlib.suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """Kill it."""
        if not self._has_ended:
            self._channels.post(b"K", self.number)


class ChannelProcess:
    """The `Process` that a program of an agent's is."""

    def __init__(self, channels: Channels, number: int) -> None:
        self._channels = channels
        self._number = number
        self._changed = threading.Condition()
        self._stdout = bytearray()
        self._stderr = bytearray()
        self._untaken = 0
        self._most = UNREAD
        self._code: int | None = None
        self._error: PydError | None = None
        self._has_ended = False

    def write(self, data: bytes) -> None:
        """See `Process`."""
        rest = memoryview(data)
        while rest:
            with self._changed:
                self._changed.wait_for(lambda: self._untaken < UNTAKEN or self._has_ended)
                if self._has_ended:
                    return  # its exit status says why
                piece, rest = rest[:PIECE], rest[PIECE:]
                self._untaken += len(piece)
            self._channels.post(b"I", self._number, bytes(piece))

    def close_input(self) -> None:
        """See `Process`."""
        self._channels.post(b"E", self._number)

    def read(self, size: int = 65536) -> bytes:
        """See `Process`."""
        with self._changed:
            self._changed.wait_for(lambda: self._stdout or self._has_ended)
            data = bytes(self._stdout[:size])
            del self._stdout[: len(data)]
            self._changed.notify_all()
            return data

    def finish(self) -> CommandOutcome:
        """See `Process`.

        Raises:
            PydError: It couldn't be run, or printed more than can be held.
        """
        self.close_input()
        with self._changed:
            self._most = MAX_OUTPUT_BYTES
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._has_ended or len(self._stdout) > MAX_OUTPUT_BYTES)
        if not self._has_ended:
            self.end()
            raise PydError(f"the program printed more than {MAX_OUTPUT_BYTES >> 20} MB", reference="too-much-output")
        if self._error is not None:
            raise self._error
        code = 128 + signal.SIGKILL if self._code is None else self._code
        return CommandOutcome(code=code, stdout=bytes(self._stdout), stderr=bytes(self._stderr))

    def end(self) -> None:
        """See `Process`: SIGTERM, and SIGKILL for what doesn't heed it."""
        for kind, data in ((b"S", bytes([signal.SIGTERM])), (b"K", b"")):
            with self._changed:
                if self._has_ended:
                    return
                self._most = 1 << 62  # it has no reader any more; what still comes must not hold up others
                self._stdout.clear()
                self._changed.notify_all()
            self._channels.post(kind, self._number, data)
            with self._changed:
                self._changed.wait_for(lambda: self._has_ended, END_TIMEOUT_S)

    def take(self, kind: bytes, content: bytes) -> bool:
        """Take a message of the agent's; return True when it was the last."""
        with self._changed:
            match kind:
                case b"o":
                    self._changed.wait_for(lambda: len(self._stdout) <= self._most)
                    self._stdout += content
                case b"e":
                    self._stderr += content
                    del self._stderr[:-MAX_STDERR_BYTES]
                case b"a":
                    self._untaken -= int.from_bytes(content, "big")
                case b"m":
                    self._hear(content.decode(errors="replace").split("\0"))
                case b"z":
                    self._has_ended = True
                case _:
                    pass
            self._changed.notify_all()
            return self._has_ended

    def cut(self, error: PydError | None) -> None:
        """Say that nothing more will come."""
        with self._changed:
            self._error = self._error or error
            self._has_ended = True
            self._changed.notify_all()

    def _hear(self, fields: list[str]) -> None:
        with contextlib.suppress(ValueError, IndexError):  # an agent that makes no sense has said nothing
            if fields[0] == "exit":
                status = int(fields[1])
                self._code = 128 + (status & 0x7F) if status & 0x7F else status >> 8
            elif fields[0] == "error" and self._error is None:
                self._error = failure(fields[1], int(fields[2]), fields[3], target=self._channels.target)
