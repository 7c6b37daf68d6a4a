"""The standard streams of a session without a terminal: pipes of its own, which this process copies to and from.

Nothing that this process was started with is ever handed over: a program in the target could keep a terminal, and type
into the shell it came from for ever after, or read what stood in a file before.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import signal
import stat
import struct
import sys
import termios
from collections.abc import Callable

CHUNK_BYTES = 1 << 20
_PIPE_BYTES = 1 << 20
_NONBLOCK = 2
"""SPLICE_F_NONBLOCK (splice(2))."""


class _Copy:
    """The copy of one stream in one direction, until the source ends or the sink has no reader.

    Args:
        source: The descriptor to read.
        sink: The descriptor to write to.
        own: The one of the two that is the session's pipe, closed at the end.
    """

    def __init__(self, source: int, sink: int, own: int) -> None:
        self.source, self.sink = source, sink
        self._own = own
        self._pending = b""
        self._ready = False
        """Whether the source has something, so that the sink is waited for."""
        self._spliced = True
        kind = os.fstat(sink).st_mode
        # What blocks when it is full is given what is sure to find room; a file takes everything.
        self._size = CHUNK_BYTES if stat.S_ISREG(kind) or sink == own else select.PIPE_BUF
        self._splice_size = CHUNK_BYTES if stat.S_ISREG(kind) or stat.S_ISFIFO(kind) else select.PIPE_BUF
        self.open = True

    def register(self, poll: select.poll) -> None:
        """Register what to wait for; the end of the sink's readers is always noticed."""
        waits = self._ready or bool(self._pending)
        poll.register(self.sink, select.POLLOUT if waits else 0)
        if not waits:
            poll.register(self.source, select.POLLIN)

    def step(self, ready: dict[int, int]) -> None:
        """Do what can be done now."""
        state = ready.get(self.sink, 0)
        if state & (select.POLLERR | select.POLLHUP | select.POLLNVAL):
            self.close()
        elif self._ready or self._pending:
            if state & select.POLLOUT:
                self._move()
        elif ready.get(self.source, 0) & select.POLLNVAL:
            self.close()
        elif ready.get(self.source, 0):
            self._ready = True

    def finish(self) -> None:
        """Copy what is in the session's pipe now.

        A tracer of the session may have taken the pipe's other end, and could write for ever.
        """
        left = _buffered_bytes(self.source) if self.open else 0
        while self.open and (left > 0 or self._pending):
            _is_ready(self.sink, select.POLLOUT, None)
            left -= self._move()
        self.close()

    def close(self) -> None:
        """Let the session's pipe go, so that its other end hears of it."""
        if self.open:
            self.open = False
            os.close(self._own)

    def _move(self) -> int:
        """Copy a part; return how many bytes it took from the source."""
        self._ready = False
        try:
            if not self._pending and self._spliced:
                try:
                    taken = os.splice(self.source, self.sink, self._splice_size, flags=_NONBLOCK)
                except BlockingIOError:
                    return 0
                except OSError as error:
                    if error.errno != errno.EINVAL:
                        raise
                    self._spliced = False  # a terminal, or a file that is appended to
                else:
                    if not taken:
                        self.close()
                    return taken
            return self._copy()
        except OSError:  # it has no reader any more, or its source is at the end
            self.close()
            return 0

    def _copy(self) -> int:
        taken = 0
        if not self._pending:
            self._pending = os.read(self.source, self._size)
            taken = len(self._pending)
            if not taken:
                self.close()
                return 0
        with contextlib.suppress(BlockingIOError):
            self._pending = self._pending[os.write(self.sink, self._pending) :]
        return taken


def _buffered_bytes(pipe: int) -> int:
    """Return how much can be read from a pipe (pipe(7), FIONREAD)."""
    return int(struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0])


def _is_ready(descriptor: int, events: int, milliseconds: int | None) -> bool:
    poll = select.poll()
    poll.register(descriptor, events)
    return bool(poll.poll(milliseconds))


class SessionStreams:
    """The pipes of a session, and the copying.

    Attributes:
        theirs: The command's standard input, output and error output, to be closed once they are passed on.
    """

    def __init__(self) -> None:
        self._copies: list[_Copy] = []
        stdin, to_command = os.pipe2(os.O_CLOEXEC)
        from_command, stdout = os.pipe2(os.O_CLOEXEC)
        self.theirs = [stdin, stdout]
        self._add(0 if sys.stdin is not None else -1, to_command, own=to_command)
        if sys.stdout is not None:
            self._add(from_command, 1, own=from_command)
        else:
            os.close(from_command)
        if _is_same(1, 2):  # one pipe, so that what is printed to both stays in order
            self.theirs.append(os.dup(stdout))
        else:
            complaints, stderr = os.pipe2(os.O_CLOEXEC)
            self.theirs.append(stderr)
            self._add(complaints, 2, own=complaints)

    def _add(self, source: int, sink: int, *, own: int) -> None:
        with contextlib.suppress(OSError):  # a user may allow himself little of them
            fcntl.fcntl(own, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        os.set_blocking(own, False)
        if own == sink and source < 0:  # the user has closed it, and its number may be something else's by now
            os.close(own)
        else:
            self._copies.append(_Copy(source, sink, own))

    def release(self) -> None:
        """Close the command's ends here."""
        for descriptor in self.theirs:
            os.close(descriptor)
        self.theirs = []

    def run(self, status: int, hear: Callable[[], bool]) -> None:
        """Copy until the session says that it is over, and then what is left.

        Args:
            status: Becomes readable when there is something to hear.
            hear: Takes that; returns whether it was the end.
        """
        # Reading the terminal of a shell that has sent this process to the background is to fail, not to stop it.
        before = signal.signal(signal.SIGTTIN, signal.SIG_IGN)
        try:
            while not self._step(status, hear):
                pass
            for copy in self._copies:
                if copy.sink in (1, 2):
                    copy.finish()
                copy.close()
        finally:
            signal.signal(signal.SIGTTIN, before)

    def _step(self, status: int, hear: Callable[[], bool]) -> bool:
        poll = select.poll()
        poll.register(status, select.POLLIN)
        copies = [copy for copy in self._copies if copy.open]
        for copy in copies:
            copy.register(poll)
        ready = dict(poll.poll())
        for copy in copies:
            copy.step(ready)
        return status in ready and hear()


def _is_same(first: int, second: int) -> bool:
    """Return whether two descriptors lead to the same file, pipe or terminal."""
    try:
        info, other = os.fstat(first), os.fstat(second)
    except OSError:
        return False
    return (info.st_dev, info.st_ino) == (other.st_dev, other.st_ino)
