"""A conversation with the persistent bash of a debug shell: see `pyd_core.debug.channel` for the protocol."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import struct
import termios
from collections.abc import Callable
from typing import Protocol

from pyd_core.debug.channel import ACKNOWLEDGED, ASKS, FIRST, INIT, SAME, TRIGGER, JoinReport, Reports, line_message
from pyd_core.debug.terminal import TerminalRelay, write_all

CHUNK = 65536
LATE = 5
"""Milliseconds by which output may arrive at the pty's master after a report that bash wrote later: a kernel worker
passes it on. Output that comes later still is shown above the next prompt."""

_TIOCGPTPEER, _TIOCGSID = 0x5441, 0x5429
_EXTPROC = 0o200000
"""From termios.h: another line discipline does the work (see `pyd_core.debug.helper.bridge`)."""


class BashChannel(Protocol):
    """The way to a session's processes."""

    on_opened: Callable[[list[int]], None]
    """Called once with the pty's master, where lines are written, and where reports are read."""

    @property
    def status(self) -> int:
        """A descriptor that becomes readable when there is a message."""
        ...

    def start(self) -> None:
        """Have the session begin."""
        ...

    def read_message(self) -> bool:
        """Read one message; return True at the end of the session."""
        ...

    def result(self) -> int:
        """The session's exit code."""
        ...


class CallServer(Protocol):
    """Answers the builtins that bash calls."""

    def open(self, answers: int, source: int, relay: TerminalRelay) -> None:
        """Answer requests while a line runs."""
        ...

    def refuse(self) -> None:
        """Refuse a request that comes while no line runs."""
        ...

    def on_line_end(self) -> None:
        """End a call that the line has left behind."""
        ...


class Bash:
    """The bash of a session, given lines one after the other.

    Args:
        link: The way to the session.
        show: Receives the output.
        fresh: Whether this client has just started bash.
        builtins: Definitions of the builtins' functions, for a bash that has pipes for them.
        calls: Answers them.
    """

    def __init__(
        self,
        link: BashChannel,
        *,
        show: Callable[[bytes], None],
        fresh: bool = True,
        builtins: bytes = b"",
        calls: CallServer | None = None,
    ) -> None:
        self.link = link
        self.report = JoinReport()
        self.has_ended = False
        """Whether the session has ended."""
        self._fresh = fresh
        self._builtins = builtins
        self._calls = calls
        self._reports = Reports()
        self._descriptors: list[int] = []
        self._pending: bytes | None = None
        self._running = False
        self._awaits_line = False
        self._show = show
        self._relay = TerminalRelay({link.status: self._hear}, show=show)
        link.on_opened = self._open

    @property
    def sources(self) -> tuple[int, ...]:
        """Descriptors that may have something to `listen` to while no line runs."""
        return (self.link.status, *(self._descriptors[::2]))

    def start(self) -> None:
        """Have the session begin."""
        self.link.start()

    def wait_ready(self) -> bytes:
        """Wait until bash accepts lines or the session ends; return keys as `run` does."""
        self._running = True
        return self._wait(keys=False)

    def run(self, line: bytes, *, typed: bytes = b"") -> bytes:
        """Run a line, with the user's terminal as its own, until bash is ready for the next or the session is over.

        Args:
            line: The line to run.
            typed: Keys that have been read already and are for what runs.

        Returns:
            Keys that were typed meanwhile and that nothing has read.
        """
        self._pending = line
        self._relay.resize()
        self._relay.type(typed)
        # A ctrl-c that came before bash has read the trigger would take it away.
        self._relay.held = True
        if self._awaits_line:
            self._give()
        else:
            write_all(self._descriptors[0], TRIGGER)
        return self._wait()

    def interrupt(self) -> None:
        """Pass a ctrl-c on that this process got as a signal, in the moments when its terminal wasn't raw."""
        self._relay.type(b"\x03")

    def rejoin(self, *, awaits_line: bool) -> bytes:
        """Take over from another client: wait for what runs in the foreground, and have bash report.

        Args:
            awaits_line: Whether bash waits for a line.
        """
        self._awaits_line = awaits_line
        if self._foreground() != self._leader():
            self._running = True
            self._show(b"a command still runs here\r\n")
            _set_modes(self._descriptors[0], echo=True)
            self._wait()
        return b"" if self.has_ended else self.run(SAME)

    def listen(self) -> None:
        """Read what arrives while no line runs: output of background jobs, late reports, the session's end."""
        for source in select.select(self.sources, [], [], 0)[0]:
            if source == self.link.status:
                self._hear()
            elif source == self._descriptors[0]:
                with contextlib.suppress(OSError):
                    self._relay.copy_output()
            elif source == self._descriptors[2]:
                self._read_reports()
            elif self._calls is not None:
                self._calls.refuse()

    def close(self) -> None:
        """Close the descriptors, which ends a session that only this process holds."""
        self._relay.close()
        for descriptor in self._descriptors[1:]:
            os.close(descriptor)
        self._descriptors = []

    def _wait(self, *, keys: bool = True) -> bytes:
        self._relay.run(keys=keys)
        if self.has_ended:
            return b""
        if select.select(self._descriptors[:1], [], [], LATE / 1000)[0]:
            self._relay.drain()
        return self._settle()

    def _open(self, descriptors: list[int]) -> None:
        self._descriptors = descriptors
        master, _, from_bash, *calls = descriptors
        os.set_inheritable(master, False)
        self._relay.start(master)
        self._relay.add(from_bash, self._read_reports)
        if calls and self._calls is not None:
            self._calls.open(calls[0], calls[1], self._relay)
        if self._fresh:
            begin(descriptors, self._builtins if calls else b"")

    def _hear(self) -> bool:
        self.has_ended = self.has_ended or self.link.read_message()
        return self.has_ended

    def _read_reports(self) -> bool:
        """Read bash's messages; return True when a line is done."""
        data = os.read(self._descriptors[2], CHUNK)
        if not data:
            self._relay.forget(self._descriptors[2])  # bash has ended, or become another program; the status tells
        done = False
        for message in self._reports.feed(data):
            if message == ASKS:
                self._awaits_line = True
                self._give()
            elif isinstance(message, JoinReport):
                self.report = message
                if self._calls is not None:
                    self._calls.on_line_end()
                if self._running:
                    done, self._running = True, False
                else:
                    self._acknowledge()
                    if self._pending is not None:  # something else has run: the trigger may have gone with it
                        write_all(self._descriptors[0], TRIGGER)
        return done

    def _give(self) -> None:
        if self._pending is None:
            return
        _set_modes(self._descriptors[0], echo=True)
        message, self._pending = line_message(self._pending), None
        self._awaits_line, self._running = False, True
        self._relay.held = False
        write_all(self._descriptors[1], message)

    def _acknowledge(self) -> None:
        acknowledge(self._descriptors)

    def _settle(self) -> bytes:
        """Take what is left in the terminal's input, so that bash doesn't, and have bash wait for the next line.

        Only what is sure to have been typed is returned: a program could have put other things there (TIOCSTI).
        """
        master = self._descriptors[0]
        left = b""
        with contextlib.suppress(OSError):
            own = fcntl.ioctl(master, _TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                _set_modes(master, echo=False, lines=False)
                with contextlib.suppress(BlockingIOError):
                    left = os.read(own, CHUNK)
                termios.tcflush(own, termios.TCIFLUSH)
            finally:
                os.close(own)
        _set_modes(master, echo=False)
        self._acknowledge()
        typed = self._relay.passed_on.replace(b"\r", b"\n")
        return (left if typed.endswith(left) else b"") + self._relay.take_unsent()

    def _foreground(self) -> int:
        return self._number(termios.TIOCGPGRP)

    def _leader(self) -> int:
        return self._number(_TIOCGSID)

    def _number(self, request: int) -> int:
        number: int = struct.unpack("i", fcntl.ioctl(self._descriptors[0], request, bytes(4)))[0]
        return number


def begin(descriptors: list[int], builtins: bytes = b"") -> None:
    """Start the conversation with a fresh bash; it reports when it is ready.

    Args:
        descriptors: The pty's master, where lines are written, and where reports are read.
        builtins: Definitions of the builtins' functions.
    """
    master, to_bash, *_ = descriptors
    _set_modes(master, echo=False)
    write_all(master, FIRST)
    write_all(to_bash, INIT + builtins + b"\0")


def acknowledge(descriptors: list[int]) -> None:
    """Answer a report: bash then reads its terminal, where nothing is shown that is written to it."""
    with contextlib.suppress(OSError):
        _set_modes(descriptors[0], echo=False)
        write_all(descriptors[1], ACKNOWLEDGED)


def _set_modes(master: int, *, echo: bool, lines: bool = True) -> None:
    """Set a pty's modes: with `echo` as every program finds it, without as it is while bash waits."""
    attributes = termios.tcgetattr(master)
    if attributes[3] & _EXTPROC:  # the pty's other end is elsewhere; it follows the echo of this one and no more
        attributes[3] = attributes[3] | termios.ECHO if echo else attributes[3] & ~termios.ECHO
        termios.tcsetattr(master, termios.TCSANOW, attributes)
        return
    attributes[0] = termios.ICRNL | termios.IXON | getattr(termios, "IUTF8", 0x4000)
    attributes[1] = termios.OPOST | termios.ONLCR
    attributes[3] = (
        termios.ISIG
        | termios.IEXTEN
        | (termios.ICANON if lines else 0)
        | (termios.ECHO | termios.ECHOE | termios.ECHOK | termios.ECHOCTL | termios.ECHOKE if echo else 0)
    )
    attributes[6][termios.VMIN], attributes[6][termios.VTIME] = (1, 0) if lines else (0, 0)
    if lines:
        attributes[6][termios.VEOF] = b"\x04"  # the same places hold VMIN and VTIME on some machines
    termios.tcsetattr(master, termios.TCSANOW, attributes)
