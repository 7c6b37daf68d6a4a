"""Merge of several logs in order of time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from pyd_core.logs.merge_source import MergeSource, emit_ready
from pyd_core.logs.stream import Batch, LogStream

MAX_WAIT_S = 0.2
"""Maximum wait of a line for older ones from other containers."""


def merge(sources: Sequence[LogStream], *, max_wait_s: float | None = MAX_WAIT_S) -> LogStream:
    """Merge logs by the engine's times of their lines.

    The merged stream ends with the last source, and reads only as fast as its caller. The lines of a source keep their
    order whatever their times.

    Args:
        sources: Logs without other readers.
        max_wait_s: Seconds a line waits for older ones of sources that are silent just now; a line that comes later
            still is handed on at once, out of order. None waits for ever, which is right for logs that aren't
            followed, and needs no event loop.
    """
    if len(sources) == 1:
        return sources[0]
    return LogStream(_merge_finished(sources) if max_wait_s is None else _merge_live(sources, max_wait_s))


async def _merge_finished(sources: Sequence[LogStream]) -> AsyncGenerator[Batch, None]:
    """Read a source whenever it has no waiting line, so that the oldest line is always known."""
    lanes = [MergeSource() for _ in sources]
    feeds = [source.batches() for source in sources]
    try:
        while True:
            for lane, feed in zip(lanes, feeds, strict=True):
                while not lane.items and not lane.ended:
                    batch = await anext(feed, None)
                    if batch is None:
                        lane.ended = True
                    else:
                        lane.add(batch)
            waiting = [lane.newest for lane in lanes if not lane.ended]
            bound = min(waiting) if waiting else max(lane.newest for lane in lanes)
            batch = emit_ready(lanes, bound)
            if batch:
                yield batch
            elif not waiting:
                return
    finally:
        for source in sources:
            await source.aclose()


async def _merge_live(sources: Sequence[LogStream], max_wait_s: float) -> AsyncGenerator[Batch, None]:
    from pyd_core.logs.live import LiveMerge  # noqa: PLC0415 - brings asyncio, which merging finished logs doesn't need

    async with LiveMerge(sources, max_wait_s) as live:
        async for batch in live.batches():
            yield batch
