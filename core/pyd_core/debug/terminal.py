"""The user's terminal while a session runs in it.

The session has a pseudo-terminal of its own, and the two are joined here byte by byte. Handing over the user's own
terminal would save the copy, but anything in the container could then type into the shell that pyd was started from
(TIOCSTI), and its name would mean nothing in there.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import signal
import struct
import termios
import tty
from collections.abc import Callable, Mapping

CHUNK_BYTES = 65536


def window_size(descriptor: int) -> tuple[int, int]:
    """Return a terminal's rows and columns; 24 by 80 when it doesn't know."""
    rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(descriptor, termios.TIOCGWINSZ, bytes(8)))
    return rows or 24, columns or 80


class TerminalRelay:
    """Copies between the user's terminal (descriptors 0 and 1) and a session's pty until the session says to stop.

    Args:
        sources: Descriptors that become readable when the session has something to say, and what to call then; it
            returns whether to stop.
        show: Gets what the session prints; writes it to the user's terminal unless given.
    """

    def __init__(
        self, sources: Mapping[int, Callable[[], bool]], *, show: Callable[[bytes], None] | None = None
    ) -> None:
        self._sources = dict(sources)
        self._show = show or (lambda data: write_all(1, data))
        self._master = -1
        self._typed = b""
        self._input_open = True
        self.held = False
        """Whether keys wait, unread, until a program can take them."""
        self.passed_on = b""
        """The last keys that were passed on in this run, at most `CHUNK`."""

    def start(self, master: int) -> None:
        """Take the pty's master, once the session has made it."""
        self._master = master
        os.set_blocking(master, False)
        self.resize()

    def add(self, source: int, heard: Callable[[], bool]) -> None:
        """Listen to one more descriptor."""
        self._sources[source] = heard

    def forget(self, source: int) -> None:
        """Listen to one less."""
        self._sources.pop(source, None)

    def run(self, *, keys: bool = True) -> None:
        """Run until the session says to stop; the terminal is then as it was, whatever happened.

        Args:
            keys: Pass on what is typed; else it stays where the next reader of the terminal finds it.
        """
        before = termios.tcgetattr(0)
        woken, wake = os.pipe()
        os.set_blocking(wake, False)
        previous = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        resized = signal.signal(signal.SIGWINCH, lambda _number, _frame: self.resize())
        self._input_open, self.passed_on = keys, b""
        try:
            tty.setraw(0, termios.TCSADRAIN)
            while not self._step(woken):
                pass
            self.drain()
        finally:
            signal.set_wakeup_fd(previous)
            signal.signal(signal.SIGWINCH, resized)
            with contextlib.suppress(termios.error):  # the terminal is gone
                termios.tcsetattr(0, termios.TCSADRAIN, before)
            for descriptor in (woken, wake):
                os.close(descriptor)

    def type(self, keys: bytes) -> None:
        """Pass keys on that were read elsewhere, before any others."""
        self._typed += keys

    def take_unsent(self) -> bytes:
        """Return the keys that were read and not passed on."""
        unsent, self._typed = self._typed, b""
        return unsent

    def close(self) -> None:
        """Let the pty go."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def _step(self, woken: int) -> bool:
        poll = select.poll()
        for source in (woken, *self._sources):
            poll.register(source, select.POLLIN)
        if self._master >= 0:
            writes = bool(self._typed) and not self.held
            poll.register(self._master, select.POLLIN | (select.POLLOUT if writes else 0))
        if self._input_open and not self.held and len(self._typed) < CHUNK_BYTES:
            poll.register(0, select.POLLIN)
        ready = dict(poll.poll())
        if woken in ready:
            os.read(woken, CHUNK_BYTES)
        if 0 in ready:
            self._read_keys()
        if self._master in ready and not self.copy_output():
            poll.unregister(self._master)
        self._pass_on()
        stop = False
        for source, heard in list(self._sources.items()):
            stop = (source in ready and heard()) or stop
        return stop

    def _read_keys(self) -> None:
        try:
            keys = os.read(0, CHUNK_BYTES)
        except OSError:
            keys = b""
        self._typed += keys
        self._input_open = bool(keys)

    def _pass_on(self) -> None:
        if self._typed and self._master >= 0 and not self.held:
            with contextlib.suppress(OSError):  # full, or hung up: the status tells
                sent = os.write(self._master, self._typed)
                self.passed_on = (self.passed_on + self._typed[:sent])[-CHUNK_BYTES:]
                self._typed = self._typed[sent:]

    def copy_output(self) -> bool:
        """Copy what there is; False at the end of it for now."""
        try:
            data = os.read(self._master, CHUNK_BYTES)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            # No process has the other end open, which stays so: the session is about to report its end.
            select.select(list(self._sources), [], [])
            return False
        self._show(data)
        return bool(data)

    def drain(self) -> None:
        """Copy all the output there is."""
        while self._master >= 0 and self.copy_output():
            pass

    def resize(self) -> None:
        """Give the pty the size of the user's terminal."""
        if self._master >= 0:
            rows, columns = window_size(1)
            with contextlib.suppress(OSError):
                fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`."""
    while data:
        data = data[os.write(descriptor, data) :]
