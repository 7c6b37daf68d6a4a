"""A meter on a program in a terminal: bytes it writes, processor time, memory, when a text was first on the screen."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import queue
import re
import signal
import struct
import termios
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import pyte
from measure import Argv, environment

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Window:
    """The activity of a program in a period.

    Attributes:
        seconds: How long it was watched.
        output: Bytes it wrote to the terminal.
        cpu: Processor seconds it took.
        memory: Its resident set at the end, in bytes.
    """

    seconds: float
    output: int
    cpu: float
    memory: int


class Meter:
    """A program in a pseudo-terminal of its own; a context manager that ends it.

    A thread reads and stamps the output as it comes; only `until` interprets it, so the meter doesn't slow what it
    measures.
    """

    def __init__(self, argv: Argv, columns: int = 120, lines: int = 40) -> None:
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self._chunks: queue.Queue[tuple[float, bytes]] = queue.Queue()
        self._written = 0
        variables = environment({"TERM": "xterm-256color", "COLORTERM": "truecolor"})
        arguments = [os.fspath(part) for part in argv]
        self.begun = time.perf_counter()
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
            os.execvpe(arguments[0], arguments, variables)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        self._reader.join(5)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._terminal)

    def send(self, keys: str) -> None:
        """Type keys, as the bytes a terminal sends for them."""
        os.write(self._terminal, keys.encode())

    def until(self, pattern: str | re.Pattern[str], bound: float = 30.0) -> float:
        """Return the seconds from the program's start until a match was on the screen.

        Raises:
            TimeoutError: There was none within `bound` seconds.
        """
        expression = re.compile(pattern)
        deadline = time.perf_counter() + bound
        while True:
            try:
                stamp, chunk = self._chunks.get(timeout=max(0.0, deadline - time.perf_counter()))
            except queue.Empty:
                raise TimeoutError(f"{expression.pattern!r} was not on the screen within {bound:g} s") from None
            self._stream.feed(chunk)
            if expression.search("\n".join(self.screen.display)):
                return stamp - self.begun

    def read(self) -> None:
        """Bring the screen up to date with what was written so far."""
        while not self._chunks.empty():
            self._stream.feed(self._chunks.get()[1])

    def watch(self, seconds: float) -> Window:
        """Let the program be for a while and return what it did."""
        begun, written, cpu = time.perf_counter(), self._written, self._cpu()
        time.sleep(seconds)
        took = time.perf_counter() - begun
        return Window(took, self._written - written, self._cpu() - cpu, self._memory())

    def calm(self, seconds: float, share: float, bound: float = 300.0) -> float:
        """Wait until the program has taken less than a share of a core for some seconds.

        Returns:
            Seconds from the program's start until it was so.

        Raises:
            TimeoutError: It found no rest within `bound` seconds.
        """
        deadline = time.perf_counter() + bound
        while True:
            begun = time.perf_counter()
            if self.watch(seconds).cpu < share * seconds:
                return begun - self.begun
            if begun > deadline:
                raise TimeoutError(f"it found no rest within {bound:g} s")

    def _read(self) -> None:
        """Read until the program hangs up; Linux says EIO then."""
        with contextlib.suppress(OSError):
            while chunk := os.read(self._terminal, 1 << 16):
                self._chunks.put((time.perf_counter(), chunk))
                self._written += len(chunk)

    def _cpu(self) -> float:
        """Return user and system seconds, fields 14 and 15 of proc_pid_stat(5)."""
        with open(f"/proc/{self.pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - it is hot
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def _memory(self) -> int:
        """Return resident bytes, from the second field of proc_pid_statm(5)."""
        with open(f"/proc/{self.pid}/statm", encoding="utf-8") as file:  # noqa: PTH123 - it is hot
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
