"""A program that the agent runs for its client, and the messages about it (`agent.py` has the kinds).

Like all of the agent it needs only the standard library.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import select
import socket
import struct
import termios
from typing import Any, NoReturn

from pyd_core.debug.join import serve

HEADER = struct.Struct(">cII")
_CHUNK = 32768
_MAX_PLAN_BYTES = 4 << 20
_MAX_ANSWER_BYTES = 1 << 17
"""Bytes of answers to builtins' calls that wait for their reader."""
_CALL = b"\0\0c\0"
"""The end of a request, and the start of a call (`pyd_core.debug.builtin_calls`)."""


def send(kind: bytes, channel: int, data: bytes = b"") -> None:
    """Write one message; block while the client doesn't read, which holds the programs' output back too."""
    whole = HEADER.pack(kind, channel, len(data)) + data
    while whole:
        whole = whole[os.write(1, whole) :]


class Channel:
    """A program of the client's, in a target or next to it.

    Args:
        number: The client's name for it.
        plan: As `join.supervise` takes it; with pid 0 it runs in this container's own root, next to the target.
    """

    def __init__(self, number: int, plan: dict[str, Any]) -> None:
        self.number = number
        self.typed = bytearray()
        self.input_ended = False
        self.master = self.to_command = self.from_command = -1
        self.answers = self.requests = -1
        self._last_requested = b"\0\0"
        self._unwritten = bytearray()
        self.status, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (self.status, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MAX_PLAN_BYTES)
        terminal = plan["terminal"] is not None
        ends = [os.pipe() for _ in range(0 if terminal else 3)]
        self.pid = os.fork()
        if self.pid == 0:
            self._become_supervisor(theirs, ends)
        theirs.close()
        self.input, self.outputs = -1, {}
        if not terminal:
            (stdin, self.input), (stdout, out), (stderr, error) = ends
            for descriptor in (stdin, out, error):
                os.close(descriptor)
            self.outputs = {stdout: b"o", stderr: b"e"}
            os.set_blocking(self.input, False)
        plan["client"] = os.getpid()
        self.status.send(json.dumps(plan).encode())

    def _become_supervisor(self, status: socket.socket, ends: list[tuple[int, int]]) -> NoReturn:
        try:
            if ends:
                kept = (ends[0][0], ends[1][1], ends[2][1])
            else:
                nothing = os.open(os.devnull, os.O_RDWR)
                kept = (nothing, nothing, nothing)
            for number, descriptor in enumerate(kept):
                os.dup2(descriptor, number)
            # Other channels' pipes would stay open for as long as this one lives.
            os.closerange(3, status.fileno())
            os.closerange(status.fileno() + 1, 4096)
            serve(status)
        finally:
            os._exit(125)

    def interests(self) -> list[tuple[int, int]]:
        """Return what to wait for: descriptors and poll(2) events."""
        interests = [(self.status.fileno(), select.POLLIN), *((output, select.POLLIN) for output in self.outputs)]
        if self.answers >= 0 and self._unwritten:
            interests.append((self.answers, select.POLLOUT))
        interests += [(source, select.POLLIN) for source in (self.from_command, self.requests) if source >= 0]
        if self.master >= 0:
            interests.append((self.master, select.POLLIN | (select.POLLOUT if self.typed else 0)))
        elif self.input >= 0 and self.typed:
            interests.append((self.input, select.POLLOUT))
        return interests

    def feed(self, data: bytes) -> None:
        """Take input of the client's, and give the program what it takes now."""
        self.typed += data
        self._pour()

    def end_input(self) -> None:
        """End the program's input once all of it is taken."""
        self.input_ended = True
        self._pour()

    def _pour(self) -> None:
        sink = self.master if self.master >= 0 else self.input
        if sink < 0:
            return
        taken = 0
        try:
            while self.typed:
                written = os.write(sink, self.typed[:_CHUNK])
                del self.typed[:written]
                taken += written
        except BlockingIOError:
            pass
        except OSError:  # it has no reader any more
            taken += len(self.typed)
            self.typed.clear()
        if taken:
            send(b"a", self.number, struct.pack(">I", taken))
        if self.input_ended and not self.typed and self.input >= 0:
            os.close(self.input)
            self.input = -1

    def resize(self, rows: int, columns: int) -> None:
        """Set the terminal's size."""
        if self.master >= 0:
            with contextlib.suppress(OSError):
                fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def set_echo(self, *, on: bool) -> None:
        """Have the terminal show what is typed, or not."""
        self._pour()
        if self.master >= 0:
            with contextlib.suppress(OSError, termios.error):
                attributes = termios.tcgetattr(self.master)
                attributes[3] = attributes[3] | termios.ECHO if on else attributes[3] & ~termios.ECHO
                termios.tcsetattr(self.master, termios.TCSANOW, attributes)

    def send_to_command(self, data: bytes) -> None:
        """Write to the command's channel, which always reads."""
        with contextlib.suppress(OSError):
            while data:
                data = data[os.write(self.to_command, data) :]

    def answer(self, frames: bytes) -> None:
        """Write answers to a builtin's call; drop what is too much, since a caller reads each before the next."""
        if len(self._unwritten) < _MAX_ANSWER_BYTES:
            self._unwritten += frames
        self._write_answers()

    def _write_answers(self) -> None:
        try:
            while self._unwritten:
                del self._unwritten[: os.write(self.answers, self._unwritten)]
        except BlockingIOError:
            pass
        except OSError:  # there is no caller any more
            self._unwritten.clear()

    def _read_requests(self) -> None:
        """Pass requests on; before a call, drop what a killed caller has left of its answer."""
        data = os.read(self.requests, _CHUNK)
        if not data:
            os.close(self.requests)
            self.requests = -1
            return
        if _CALL in self._last_requested + data:
            self._drop_answers()
        self._last_requested = (self._last_requested + data)[-len(_CALL) + 1 :]
        send(b"b", self.number, data)

    def _drop_answers(self) -> None:
        self._unwritten.clear()
        with contextlib.suppress(OSError):
            leftover = os.open(f"/proc/self/fd/{self.answers}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                while os.read(leftover, _CHUNK):
                    pass
            finally:
                os.close(leftover)

    def signal(self, number: int) -> None:
        """Signal the supervisor, which passes it on."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def ready(self, descriptor: int) -> bool:
        """Do what can be done with a descriptor; True when all is over."""
        if descriptor == self.status.fileno():
            return self._hear()
        if descriptor == self.master:
            self._pour()
            self._copy(self.master, b"o")
        elif descriptor == self.input:
            self._pour()
        elif descriptor == self.from_command:
            self._copy(descriptor, b"c")
        elif descriptor == self.answers:
            self._write_answers()
        elif descriptor == self.requests:
            self._read_requests()
        elif descriptor in self.outputs:
            self._copy(descriptor, self.outputs[descriptor])
        return False

    def _hear(self) -> bool:
        message, descriptors, _, _ = socket.recv_fds(self.status, 65536, 5)
        if message.startswith(b"terminal") and descriptors:
            self.master = descriptors[0]
            if len(descriptors) >= 3:
                self.to_command, self.from_command = descriptors[1:3]
            if len(descriptors) == 5:
                self.answers, self.requests = descriptors[3:]
                os.set_blocking(self.answers, False)
            os.set_blocking(self.master, False)
            self._pour()
        if message:
            send(b"m", self.number, message)
            return False
        self._drain()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        ends = (self.to_command, self.from_command, self.answers, self.requests)
        for descriptor in (self.input, self.master, *ends, *self.outputs):
            if descriptor >= 0:
                os.close(descriptor)
        self.status.close()
        send(b"z", self.number)
        return True

    def _drain(self) -> None:
        rest = [(source, kind) for source, kind in ((self.master, b"o"), (self.from_command, b"c")) if source >= 0]
        for source, kind in (*self.outputs.items(), *rest):
            os.set_blocking(source, False)
            while self._copy(source, kind):
                pass

    def _copy(self, descriptor: int, kind: bytes) -> bool:
        try:
            data = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            data = b""  # no process has the terminal's other end open
        if data:
            send(kind, self.number, data)
            return True
        os.close(descriptor)
        if descriptor == self.master:
            self.master = -1
        elif descriptor == self.from_command:
            self.from_command = -1
        else:
            self.outputs.pop(descriptor, None)
        return False
