"""The user's own terminal: raw mode, size, and reading input in an event loop."""

from __future__ import annotations

import asyncio
import os
import signal
import termios
import tty
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager

CHUNK_BYTES = 65536


@contextmanager
def raw_mode(fd: int) -> Iterator[None]:
    """Put a terminal in raw mode within the block, and restore it afterwards."""
    before = termios.tcgetattr(fd)
    try:
        tty.setraw(fd)
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def window_size(fd: int) -> tuple[int, int]:
    """Return the columns and rows of a terminal."""
    size = os.get_terminal_size(fd)
    return size.columns, size.lines


async def send_sizes(fd: int, send: Callable[[int, int], Awaitable[None]]) -> None:
    """Send the columns and rows of a terminal, now and after each change, until cancelled."""
    changed = asyncio.Event()
    changed.set()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGWINCH, changed.set)
    try:
        while await changed.wait():
            changed.clear()
            await send(*window_size(fd))
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)


async def read_input(fd: int) -> AsyncIterator[bytes]:
    """Read until the end of input, no faster than the caller consumes it.

    The descriptor stays blocking, because another process may share it.
    """
    loop = asyncio.get_running_loop()
    while True:
        ready = loop.create_future()
        try:
            loop.add_reader(fd, _ready, ready)
        except PermissionError:
            pass  # a file, which epoll doesn't take and which never blocks
        else:
            try:
                await ready
            finally:
                loop.remove_reader(fd)
        try:
            data = os.read(fd, CHUNK_BYTES)
        except OSError:  # the terminal is gone
            return
        if not data:
            return
        yield data


def _ready(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
