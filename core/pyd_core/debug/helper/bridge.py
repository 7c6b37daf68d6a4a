"""The supervisor's part where the session runs in a helper container: messages on one side, descriptors on the other.

To the client this process is the supervisor of any session. It has the client's standard input and output, or gives it
a pty and the ends of the channel, and passes what comes over to the agent and back.

The pty's line discipline leaves its work to the pty in the target (`EXTPROC`, termios(3) as in Linux). That one's echo
follows what the client sets on this one.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import os
import select
import signal
import socket
import struct
import termios
from collections.abc import Iterable
from typing import Any, NoReturn

import msgspec

from pyd_core.debug.helper.link import AgentLink
from pyd_core.debug.terminal import CHUNK_BYTES, window_size, write_all
from pyd_core.errors import PydError, StreamInterrupted

CHANNEL = 1
"""The agent's number for the session."""

_UNTAKEN = 1 << 18
"""Bytes of input that may be on their way: more would fill the agent's memory where the program reads nothing."""
_MAX_QUEUED_CALL_BYTES = 1 << 18
"""Bytes of calls of builtins, or of answers, that wait for their reader."""
_EXTPROC = 0o200000
_CLIENT_GONE = signal.SIGRTMIN
_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def bridge(plan: dict[str, Any], status: socket.socket, stream: int) -> NoReturn:
    """Run a plan over a connection to an agent; never returns.

    Args:
        plan: As `join.supervise` takes it; `target` is the target's name, `shared` whether the helper ends with it,
            `tools` the directory here that has the toolbox's files.
        status: The client's messages.
        stream: The connection's descriptor.
    """
    target, shared, _ = plan.pop("target"), plan.pop("shared"), plan.pop("tools")
    try:
        _Bridge(plan, status, AgentLink(socket.socket(fileno=stream), b"", target)).run()
    except StreamInterrupted as error:
        if shared:
            _report(status, "ended")
        else:
            _report(status, "error", "the helper container", 0, f"{error.message} {error.hint}")
    except PydError as error:
        _report(status, "error", "the helper container", 0, error.message)
    except OSError as error:
        _report(status, "error", "the bridge", error.errno or 0, error.filename or "")
    finally:
        os._exit(0)


def _report(status: socket.socket, *fields: object) -> None:
    with contextlib.suppress(OSError):  # the client is gone; there is no reader for a report
        status.send(b"\0".join(str(field).encode(errors="surrogateescape") for field in fields))


class _Bridge:
    def __init__(self, plan: dict[str, Any], status: socket.socket, link: AgentLink) -> None:
        self._plan = plan
        self._status = status
        self._link = link
        self._input, self._output = 0, 1
        self._from_client, self._to_client = -1, -1
        self._answers: socket.socket | None = None
        self._requests: socket.socket | None = None
        self._terminal = plan["terminal"] is not None
        self._echo = True
        self._untaken = 0
        if self._terminal:
            self._input = self._output = -1  # until the target's is there

    def run(self) -> None:
        """Run until the agent reports the end.

        Raises:
            StreamInterrupted: The helper has ended before.
        """
        signals = _signal_descriptor((*_FORWARDED, signal.SIGWINCH, _CLIENT_GONE))
        self._link.post(b"R", CHANNEL, msgspec.json.encode(self._plan))
        while True:
            poll = select.poll()
            poll.register(signals, select.POLLIN)
            poll.register(self._link, self._link.events)
            if self._input >= 0 and self._untaken < _UNTAKEN:
                poll.register(self._input, select.POLLIN)
            if self._from_client >= 0:
                poll.register(self._from_client, select.POLLIN)
            if self._answers is not None and not self._link.events & select.POLLOUT:
                poll.register(self._answers, select.POLLIN)
            ready = dict(poll.poll())
            if signals in ready and self._obey(os.read(signals, 128)):
                return
            if self._input in ready:
                self._read_input()
            if self._from_client in ready:
                self._read_channel()
            if self._answers is not None and self._answers.fileno() in ready:
                self._read_answers(self._answers)
            state = ready.get(self._link.fileno(), 0)
            if state & select.POLLOUT:
                self._link.flush()
            if state & ~select.POLLOUT and self._take(self._link.receive()):
                return

    def _obey(self, message: bytes) -> bool:
        number = int.from_bytes(message[:4], "little")
        if number == _CLIENT_GONE:
            return True
        if number == signal.SIGWINCH:
            self._resize()
        else:
            self._link.post(b"S", CHANNEL, bytes([number]))
        return False

    def _read_input(self) -> None:
        try:
            data = os.read(self._input, CHUNK_BYTES)
        except OSError:
            data = b""
        if data:
            self._follow_echo()
            self._untaken += len(data)
            self._link.post(b"I", CHANNEL, data)
            return
        self._input = -1
        if self._terminal:  # the client has let go of it
            self._link.post(b"S", CHANNEL, bytes([signal.SIGHUP]))
        else:
            self._link.post(b"E", CHANNEL)

    def _follow_echo(self) -> None:
        """Have the target's pty echo as the client wants it to, from the next byte on."""
        if self._terminal:
            echo = bool(termios.tcgetattr(self._input)[3] & termios.ECHO)
            if echo != self._echo:
                self._echo = echo
                self._link.post(b"T", CHANNEL, bytes([echo]))

    def _read_channel(self) -> None:
        data = os.read(self._from_client, CHUNK_BYTES)
        if data:
            self._link.post(b"C", CHANNEL, data)
        else:
            os.close(self._from_client)
            self._from_client = -1

    def _read_answers(self, answers: socket.socket) -> None:
        """Pass an answer to a call on in one message, so that the agent never has a part of a frame."""
        frames = answers.recv(CHUNK_BYTES)
        if frames:
            self._link.post(b"B", CHANNEL, frames)
        else:
            answers.close()
            self._answers = None

    def _give_requests(self, data: bytes) -> None:
        """Give the client calls of builtins; a program that floods it loses what isn't read."""
        if self._requests is not None:
            with contextlib.suppress(OSError):
                self._requests.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)

    def _resize(self) -> None:
        if self._input >= 0:
            self._link.post(b"W", CHANNEL, struct.pack(">HH", *window_size(self._input)))

    def _take(self, messages: Iterable[tuple[bytes, int, bytes]]) -> bool:
        for kind, _, content in messages:
            match kind:
                case b"o" | b"e":
                    with contextlib.suppress(OSError):  # it has no reader any more
                        write_all(2 if kind == b"e" and not self._terminal else self._output, content)
                case b"a":
                    self._untaken -= int.from_bytes(content, "big")
                case b"c":
                    with contextlib.suppress(OSError):
                        write_all(self._to_client, content)
                case b"b":
                    self._give_requests(content)
                case b"m" if content.startswith(b"terminal"):
                    self._give_terminal()
                case b"m":
                    self._status.send(content)
                case b"z":
                    return True
                case _:
                    pass
        return False

    def _give_terminal(self) -> None:
        master, slave = os.openpty()
        attributes = termios.tcgetattr(slave)
        attributes[0] &= ~(termios.ICRNL | termios.IXON)
        attributes[1] &= ~termios.OPOST
        attributes[3] = attributes[3] & ~termios.ICANON | _EXTPROC  # else a ctrl-d alone reads as the end of input
        termios.tcsetattr(slave, termios.TCSANOW, attributes)
        rows, columns = self._plan["terminal"]
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)  # it then tells this process of a new size
        given = [master]
        if self._plan.get("channel"):
            (self._from_client, to_bash), (from_bash, self._to_client) = os.pipe(), os.pipe()
            given += [to_bash, from_bash]
        if self._plan.get("calls"):
            given += self._call_ends()
        socket.send_fds(self._status, [b"terminal"], array.array("i", given))
        for descriptor in given:
            os.close(descriptor)
        self._input = self._output = slave
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):  # the client's own: a detached session outlives the process that holds them
            os.dup2(nothing, descriptor)
        os.close(nothing)

    def _call_ends(self) -> list[int]:
        """Return the client's ends of the pipes for builtins: sockets, since they keep one frame from the next."""
        (self._answers, answers), (self._requests, requests) = (
            socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(2)
        )
        for end in (answers, self._requests):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MAX_QUEUED_CALL_BYTES)
        return [answers.detach(), requests.detach()]


def _signal_descriptor(numbers: Iterable[int]) -> int:
    """Return a descriptor that blocked signals are read from (signalfd(2))."""
    import ctypes  # noqa: PLC0415 - the join has it loaded

    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    bits = sum(1 << (number - 1) for number in numbers)
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor: int = libc.signalfd(-1, struct.pack("Q", bits).ljust(128, b"\0"), os.O_CLOEXEC)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "signalfd")
    return descriptor
