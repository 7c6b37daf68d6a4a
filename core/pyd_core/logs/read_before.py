"""Reader of the lines before the oldest known one.

The Engine API only reads logs forwards, from the end by a count of lines or from a time. Requesting more lines from the
end, up to the time of the oldest known one, costs the engine a look at the file's tail and sends nothing twice.
"""

from __future__ import annotations

from pyd_core.client.provider import Provider
from pyd_core.logs.follow import follow
from pyd_core.logs.line import MAX_LINE_BYTES, LogLine

MAX_LINES = 50_000_000
"""Maximum distance from the end at which lines are searched."""


async def read_before(
    engine: Provider,
    container: str,
    *,
    before_ns: int,
    held_lines: int,
    count: int = 1000,
    max_line_bytes: int = MAX_LINE_BYTES,
) -> tuple[list[LogLine], bool]:
    """Read lines that were written before a time.

    Args:
        engine: The container's engine.
        container: Its id.
        before_ns: The time of the oldest known line, nanoseconds since the epoch; lines of that time are left out.
        held_lines: The number of newer lines that are known; a hint that saves requests.
        count: The number of lines to return, the newest of those that are older; some more or fewer are possible.
        max_line_bytes: Maximum size of a line.

    Returns:
        The lines in order, and whether there are none before them.

    Raises:
        PydError: No such container, or its log can't be read.
    """
    tail = held_lines + count
    lines: list[LogLine] = []
    while True:
        before = len(lines)
        stream = follow(engine, container, tail=tail, until=before_ns, max_line_bytes=max_line_bytes)
        lines = []
        async for batch in stream.batches():
            lines += [item for item in batch if isinstance(item, LogLine) and item.time_ns < before_ns]
            del lines[: -2 * count]
        if len(lines) >= count:
            return lines[-count:], False
        if tail > MAX_LINES or (tail > held_lines + count and len(lines) == before):
            return lines, True
        tail *= 4
