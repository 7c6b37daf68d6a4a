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
from collections.abc import Callable

CHUNK = 65536


def window_size(descriptor: int) -> tuple[int, int]:
    """Returns a terminal's rows and columns; 24 by 80 when it doesn't know."""
    rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(descriptor, termios.TIOCGWINSZ, bytes(8)))
    return rows or 24, columns or 80


class Relay:
    """Copies between the user's terminal (descriptors 0 and 1) and a session's pty until the session says it is over.

    Args:
        status: The descriptor that becomes readable when the session has something to say.
        heard: Called when it has; returns whether the session is over.
    """

    def __init__(self, status: int, heard: Callable[[], bool]) -> None:
        self._status = status
        self._heard = heard
        self._master = -1
        self._typed = b""
        self._input_open = True

    def start(self, master: int) -> None:
        """Takes the pty's master, once the session has made it."""
        self._master = master
        os.set_blocking(master, False)
        self._resize()

    def run(self) -> None:
        """Runs to the session's end; the terminal is then as it was, whatever happened."""
        before = termios.tcgetattr(0)
        woken, wake = os.pipe()
        os.set_blocking(wake, False)
        previous = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGWINCH, lambda _number, _frame: self._resize())
        try:
            tty.setraw(0, termios.TCSADRAIN)
            while not self._step(woken):
                pass
            self._drain()
        finally:
            signal.set_wakeup_fd(previous)
            signal.signal(signal.SIGWINCH, signal.SIG_DFL)
            termios.tcsetattr(0, termios.TCSADRAIN, before)
            for descriptor in (woken, wake, *([self._master] if self._master >= 0 else [])):
                os.close(descriptor)

    def _step(self, woken: int) -> bool:
        poll = select.poll()
        poll.register(self._status, select.POLLIN)
        poll.register(woken, select.POLLIN)
        if self._master >= 0:
            poll.register(self._master, select.POLLIN | (select.POLLOUT if self._typed else 0))
        if self._input_open and len(self._typed) < CHUNK:
            poll.register(0, select.POLLIN)
        ready = dict(poll.poll())
        if woken in ready:
            os.read(woken, CHUNK)
        if 0 in ready:
            self._read_keys()
        if self._master in ready and not self._copy_output():
            poll.unregister(self._master)
        if self._typed and self._master >= 0:
            with contextlib.suppress(OSError):  # full, or hung up: the status tells
                self._typed = self._typed[os.write(self._master, self._typed) :]
        return self._status in ready and self._heard()

    def _read_keys(self) -> None:
        try:
            keys = os.read(0, CHUNK)
        except OSError:
            keys = b""
        self._typed += keys
        self._input_open = bool(keys)

    def _copy_output(self) -> bool:
        """Copies what there is; False at the end of it for now."""
        try:
            data = os.read(self._master, CHUNK)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            # Nobody has the other end open, which stays so: the session is about to say that it is over.
            self._hung_up()
            return False
        write_all(1, data)
        return bool(data)

    def _hung_up(self) -> None:
        select.select([self._status], [], [])

    def _drain(self) -> None:
        while self._master >= 0 and self._copy_output():
            pass

    def _resize(self) -> None:
        if self._master >= 0:
            rows, columns = window_size(1)
            with contextlib.suppress(OSError):
                fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def write_all(descriptor: int, data: bytes) -> None:
    """Writes all of `data`."""
    while data:
        data = data[os.write(descriptor, data) :]
