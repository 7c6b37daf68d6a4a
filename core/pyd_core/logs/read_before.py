"""Reading back: the lines before the oldest one that is held.

The Engine API reads logs forwards only, from the end by a count of lines or from a time. Asking for more lines from the
end, up to the time of the oldest one held, costs the engine a look at the file's tail and sends nothing twice.
"""

from __future__ import annotations

from pyd_core.client.engine_client import EngineClient
from pyd_core.logs.follow import follow
from pyd_core.logs.line import LONGEST_LINE, LogLine

MOST = 50_000_000
"""Lines from the end beyond which nothing older is looked for."""


async def older(
    engine: EngineClient, container: str, *, before_ns: int, held: int, want: int = 1000, longest: int = LONGEST_LINE
) -> tuple[list[LogLine], bool]:
    """Read lines that were written before a time.

    Args:
        engine: The container's engine.
        container: Its id.
        before_ns: The time of the oldest line held, nanoseconds since the epoch; lines of that very time are left out.
        held: How many of its lines are known to be younger; a hint that saves questions.
        want: How many lines to return, the newest of those that are older; some more or fewer are possible.
        longest: Bytes of a line that are kept.

    Returns:
        The lines in order, and whether there are none before them.

    Raises:
        PydError: No such container, or its log can't be read.
    """
    tail = held + want
    found: list[LogLine] = []
    while True:
        before = len(found)
        stream = follow(engine, container, tail=tail, until=before_ns, longest=longest)
        found = []
        async for batch in stream.batches():
            found += [item for item in batch if isinstance(item, LogLine) and item.time_ns < before_ns]
            del found[: -2 * want]
        if len(found) >= want:
            return found[-want:], False
        if tail > MOST or (tail > held + want and len(found) == before):
            return found, True
        tail *= 4
