"""Search in the part of a log that isn't loaded."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from pyd_core.logs.line import LogLine
from pyd_core.logs.pattern import Test
from pyd_core.logs.stream import LogStream


async def find_last(stream: LogStream, test: Test, on_read: Callable[[int], None]) -> LogLine | None:
    """Return the last line of a stream that passes a test; None without one.

    Args:
        stream: The lines, in order, up to the oldest loaded one. It is read to its end, and only one line is kept.
        test: The test.
        on_read: Gets the number of lines read so far.

    Raises:
        PydError: The log can't be read.
    """
    last: LogLine | None = None
    async with aclosing(stream), aclosing(_matches(stream, test, on_read)) as matches:
        async for match in matches:
            last = match
    return last


async def find_first(stream: LogStream, test: Test, on_read: Callable[[int], None]) -> LogLine | None:
    """Return the first line of a stream that passes a test; None without one.

    Args:
        stream: The lines, in order, from the newest loaded one on.
        test: The test.
        on_read: Gets the number of lines read so far.

    Raises:
        PydError: The log can't be read.
    """
    async with aclosing(stream), aclosing(_matches(stream, test, on_read)) as matches:
        return await anext(matches, None)


async def _matches(stream: LogStream, test: Test, on_read: Callable[[int], None]) -> AsyncGenerator[LogLine, None]:
    read = 0
    async for batch in stream.batches():
        for item in batch:
            if isinstance(item, LogLine):
                read += 1
                if test(item):
                    yield item
        on_read(read)
