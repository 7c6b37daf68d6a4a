"""Search in the part of a log that a logbook hasn't loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyd_core.logs.find_beyond import find_first, find_last
from pyd_core.logs.line import LogLine
from pyd_core.logs.merge import merge
from pyd_tui.dashboard.logs.window import Goal, Window

if TYPE_CHECKING:
    from pyd_core.logs.pattern import LogPattern
    from pyd_tui.dashboard.logs.logbook import Logbook


async def seek(book: Logbook, pattern: LogPattern, step: int) -> None:
    """Read the part beyond the loaded lines, and load the surroundings of the match that is nearest to them.

    Args:
        book: The log.
        pattern: The pattern to match.
        step: 1 is the newer part, -1 the older one.

    Raises:
        PydError: The log can't be read.
    """
    part = "newer" if step > 0 else "older"
    oldest_ns, newest_ns = book.edges_ns
    passes, matches = book.shown.filters.compile(), pattern.test

    def is_match(line: LogLine) -> bool:
        beyond = line.time_ns > newest_ns if step > 0 else line.time_ns < oldest_ns
        return beyond and matches(line) and passes(line)

    def on_read(count: int) -> None:
        book.report(seeking=f"searching {part} lines: {count:,} read")

    on_read(0)
    try:
        if step > 0:
            stream = merge(book.streams(since=newest_ns, live=False), max_wait_s=None)
            line = await find_first(stream, is_match, on_read)
        else:
            stream = merge(book.streams(until=oldest_ns, live=False), max_wait_s=None)
            line = await find_last(stream, is_match, on_read)
    finally:
        book.report()
    if line is None:
        book.report(note=f"no match in the {part} lines")
    else:
        await book.read(Window(label="around", around_ns=line.time_ns), goal=Goal(time_ns=line.time_ns, line=line))
