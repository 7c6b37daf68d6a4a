"""The user's own terminal: raw mode, size, and reading input in an event loop."""

from __future__ import annotations

import asyncio
import os
import termios
import tty
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

CHUNK = 65536


@contextmanager
def raw_mode(fd: int) -> Iterator[None]:
    """Passes every key on as it is typed, and gives the terminal back as it was."""
    before = termios.tcgetattr(fd)
    try:
        tty.setraw(fd)
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def window_size(fd: int) -> tuple[int, int]:
    """Returns columns and rows."""
    size = os.get_terminal_size(fd)
    return size.columns, size.lines


async def read_input(fd: int) -> AsyncIterator[bytes]:
    """Reads until the end of input, and no faster than the caller takes it.

    The descriptor stays blocking: another process may share it, and would find it changed.
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
            data = os.read(fd, CHUNK)
        except OSError:  # the terminal is gone
            return
        if not data:
            return
        yield data


def _ready(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
