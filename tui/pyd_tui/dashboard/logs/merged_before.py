"""Reader of the lines of several containers before a time."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from pyd_core.logs.line import LogLine
from pyd_core.logs.merge import merge
from pyd_tui.dashboard.logs.window import AROUND_NS, PAGE_LINES

if TYPE_CHECKING:
    from pyd_tui.dashboard.logs.logbook import Logbook

MAX_SPAN_NS = 400 * 86_400 * 1_000_000_000
"""A longer span of time is read from the start of the logs."""

MAX_LINES = 5 * PAGE_LINES
"""Lines returned at most."""


async def merged_before(book: Logbook, before_ns: int) -> tuple[list[LogLine], bool]:
    """Read a page of merged lines that were written before a time.

    Engines can't read back from a time, so longer and longer spans are read until there are enough lines in one.

    Returns:
        The lines in order, and whether there are none before them.

    Raises:
        PydError: A log can't be read.
    """
    span = AROUND_NS
    while True:
        since = before_ns - span if span < MAX_SPAN_NS else None
        newest: deque[LogLine] = deque(maxlen=MAX_LINES)
        count = 0
        stream = merge(book.streams(since=since, until=before_ns, live=False), max_wait_s=None)
        try:
            async for batch in stream.batches():
                lines = [item for item in batch if isinstance(item, LogLine) and item.time_ns < before_ns]
                newest.extend(lines)
                count += len(lines)
        finally:
            await stream.aclose()
        if since is None or count >= PAGE_LINES:
            return list(newest), since is None and count <= MAX_LINES
        span *= 8
