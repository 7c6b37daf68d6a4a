"""Relay of standard streams between this terminal and a process in a container."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING

from pyd_core.client.frames import STDERR, STDOUT, FrameDecoder
from pyd_core.detach_keys import DEFAULT, DetachKeys, parse_option
from pyd_core.errors import PydError
from pyd_core.sanitise import safe_bytes
from pyd_core.tasks import TaskOwner
from pyd_tui.console.terminal import raw_mode, read_input, send_sizes

if TYPE_CHECKING:
    from pyd_core.client.transport.base import Duplex

Resize = Callable[[int, int], Awaitable[None]]
"""Sends rows and columns to the other side."""
Forward = Callable[[str], Awaitable[object]]
"""Sends the other side a signal by name."""

FORWARDED_SIGNALS = (
    *("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGCONT", "SIGTSTP", "SIGWINCH"),
    *("SIGTTIN", "SIGTTOU"),
)
"""Signals forwarded to the container's process instead of ending this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachRelay:
    """A relay of standard streams to and from a process in a container.

    Attributes:
        tty: The other side has a terminal: its output isn't framed.
        interactive: Forward standard input.
        detach_keys: The key sequence for detaching; empty is ctrl-p,ctrl-q.
        resize: Called with the size of this terminal, at the start and when it changes.
        forward: Called with the signals this process receives; None leaves them to end it.
        refusal: The prefix of a runtime error that arrives in place of the process's output.
    """

    tty: bool
    interactive: bool
    detach_keys: str = ""
    resize: Resize | None = None
    forward: Forward | None = None
    refusal: bytes = b""

    async def run(self, duplex: Duplex) -> str | None:
        """Relay bytes both ways until the output ends.

        Returns:
            The runtime's error if it couldn't start the program, else an empty text; None if the user detached.
        """
        keyboard = self.tty and self.interactive and sys.stdin.isatty()
        keys = DetachKeys(parse_option(self.detach_keys or DEFAULT)) if keyboard else None
        terminal = raw_mode(sys.stdin.fileno()) if keyboard else contextlib.nullcontext()
        with terminal:
            async with TaskOwner(on_error=lambda _: None) as tasks:  # a lost connection ends the output
                receiving = tasks.start(self._receive(duplex))
                left = asyncio.Event()
                leaving = tasks.start(left.wait())
                if self.interactive:
                    tasks.start(_send_input(duplex, keys, left))
                if self.tty and self.resize is not None and sys.stdout.isatty():
                    tasks.start(send_sizes(sys.stdout.fileno(), partial(_resize, self.resize)))
                ended_by = _watch_signals(left) if keyboard else []
                async with _forward_signals(None if keyboard else self.forward, tasks):
                    await asyncio.wait({receiving, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if ended_by:
                    raise SystemExit(128 + ended_by[0])
                return receiving.result() if receiving.done() else None

    async def _receive(self, duplex: Duplex) -> str:
        decoder = FrameDecoder()
        outputs: dict[int, IO[bytes]] = {STDOUT: sys.stdout.buffer, STDERR: sys.stderr.buffer}
        first = True
        refusal = b""
        while data := await duplex.read():
            pieces = [(STDOUT, data)] if self.tty else [(frame.stream, frame.data) for frame in decoder.feed(data)]
            for stream, piece in pieces:
                if refusal or (first and self.refusal and piece.startswith(self.refusal)):
                    refusal += piece
                    continue
                first = False
                outputs.get(stream, sys.stderr.buffer).write(piece)
            for output in outputs.values():
                output.flush()
        return safe_bytes(refusal.strip())


def report_detached() -> int:
    """Report that the process keeps running without a client, and return the exit code."""
    sys.stderr.write("pyd: detached; the process keeps running\n")
    return 0


def _watch_signals(left: asyncio.Event) -> list[int]:
    """Make fatal signals end the session instead of the process, so that the terminal is restored."""
    received: list[int] = []

    def handler(number: int) -> None:
        received.append(number)
        left.set()

    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, handler, number)
    return received


@asynccontextmanager
async def _forward_signals(forward: Forward | None, tasks: TaskOwner) -> AsyncIterator[None]:
    """Forward signals while the block runs."""
    if forward is None:
        yield
        return
    loop = asyncio.get_running_loop()

    async def send(name: str) -> None:
        with contextlib.suppress(PydError):  # the process may have ended
            await forward(name)

    numbers = [(getattr(signal, name), name.removeprefix("SIG")) for name in FORWARDED_SIGNALS if hasattr(signal, name)]

    def handler(name: str) -> None:
        tasks.start(send(name))

    for number, name in numbers:
        loop.add_signal_handler(number, handler, name)
    try:
        yield
    finally:
        for number, _ in numbers:
            loop.remove_signal_handler(number)


async def _send_input(duplex: Duplex, keys: DetachKeys | None, left: asyncio.Event) -> None:
    async for data in read_input(sys.stdin.fileno()):
        passed, leaving = keys.feed(data) if keys is not None else (data, False)
        if passed:
            await duplex.write(passed)
        if leaving:
            left.set()
            return
    await duplex.close_write()


async def _resize(resize: Resize, columns: int, rows: int) -> None:
    with contextlib.suppress(PydError):  # the process may have ended
        await resize(rows, columns)
