"""Reading and writing descriptors that may block, from the event loop: pipes and terminals."""

from __future__ import annotations

import asyncio
import errno
import os

MAX_READ_BYTES = 1 << 16


async def _ready(fd: int, *, writing: bool) -> None:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not future.done():
            future.set_result(None)

    (loop.add_writer if writing else loop.add_reader)(fd, wake)
    try:
        await future
    finally:
        (loop.remove_writer if writing else loop.remove_reader)(fd)


async def readable(fd: int) -> None:
    """Return when there is something to read, or nothing will come any more."""
    await _ready(fd, writing=False)


async def read(fd: int) -> bytes:
    """Return what is there, waiting for something; empty at the end. The descriptor must not block.

    A terminal whose last user is gone reports EIO, which is its end.
    """
    while True:
        try:
            return os.read(fd, MAX_READ_BYTES)
        except BlockingIOError:
            await _ready(fd, writing=False)
        except OSError as error:
            if error.errno == errno.EIO:
                return b""
            raise


async def write(fd: int, data: bytes) -> None:
    """Write everything. The descriptor must not block.

    Raises:
        BrokenPipeError: The reader has closed its end.
    """
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(fd, rest) :]
        except BlockingIOError:
            await _ready(fd, writing=True)
