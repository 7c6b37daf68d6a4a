"""Merge of logs that are still being written."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Self

from pyd_core.logs.merge_source import MergeSource, emit_ready
from pyd_core.logs.stream import Batch, LogStream
from pyd_core.tasks import TaskOwner

MAX_WAITING_LINES = 20_000
"""Waiting lines of a source at which it isn't read any further."""

MAX_WAITING_BYTES = 8 * 2**20
"""The same bound in bytes, for long lines."""


class _Source:
    """A log, its waiting lines, and their times of arrival."""

    def __init__(self, stream: LogStream) -> None:
        self.stream = stream
        self.lane = MergeSource()
        self.arrivals: deque[tuple[float, int]] = deque()
        """Loop time of each batch's arrival, and the key of its last line."""
        self.room = asyncio.Event()

    def overdue(self, before: float) -> int:
        """Return the newest key of the batches that arrived before a time."""
        bound = 0
        while self.arrivals and self.arrivals[0][0] <= before:
            bound = self.arrivals.popleft()[1]
        return bound


class LiveMerge:
    """Reads all sources concurrently and emits lines in order, once no older one can come or their wait is over.

    Args:
        sources: The logs.
        max_wait_s: Seconds that a line waits for older ones.
        open_ended: Wait for sources to be added when all have ended.
    """

    def __init__(self, sources: Sequence[LogStream], max_wait_s: float, *, open_ended: bool = False) -> None:
        self._sources = [_Source(source) for source in sources]
        self._max_wait_s = max_wait_s
        self._open_ended = open_ended
        self._entered = False
        self._changed = asyncio.Event()
        self._failure: Exception | None = None
        self._tasks = TaskOwner(on_error=self._on_error)

    async def __aenter__(self) -> Self:
        self._entered = True
        for source in self._sources:
            self._start(source)
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self._tasks.aclose()
        for source in self._sources:
            await source.stream.aclose()

    def add(self, stream: LogStream) -> None:
        """Read another log."""
        source = _Source(stream)
        self._sources.append(source)
        if self._entered:
            self._start(source)

    def _start(self, source: _Source) -> None:
        self._tasks.start(self._pump(source))

    def fail(self, error: Exception) -> None:
        """End the merged log with an error, after all lines that have arrived."""
        self._on_error(error)

    async def batches(self) -> AsyncIterator[Batch]:
        """Yield the merged lines.

        Raises:
            PydError: The error of a source, after all earlier lines.
        """
        loop = asyncio.get_running_loop()
        while True:
            self._changed.clear()
            self._drop_ended()
            lanes = [source.lane for source in self._sources]
            batch = emit_ready(lanes, self._bound(loop.time()))
            if batch:
                for source in self._sources:
                    source.room.set()
                yield batch
                continue
            if self._failure is not None:
                raise self._failure
            if not self._open_ended and all(lane.ended for lane in lanes):
                return
            arrivals = [source.arrivals[0][0] for source in self._sources if source.arrivals]
            timer = loop.call_at(min(arrivals) + self._max_wait_s, self._changed.set) if arrivals else None
            await self._changed.wait()
            if timer is not None:
                timer.cancel()

    def _drop_ended(self) -> None:
        """Forget sources that have ended and whose lines are emitted, so that pods that come and go cost nothing."""
        if self._open_ended:
            self._sources = [source for source in self._sources if source.lane.items or not source.lane.ended]

    def _bound(self, now: float) -> int:
        """Return the newest time up to which lines may be emitted."""
        overdue = max((source.overdue(now - self._max_wait_s) for source in self._sources), default=0)
        live = [source.lane for source in self._sources if not source.lane.ended]
        if not live or self._failure is not None:
            return max((source.lane.newest for source in self._sources), default=0)
        return max(overdue, min(lane.newest for lane in live))

    async def _pump(self, source: _Source) -> None:
        loop = asyncio.get_running_loop()
        async for batch in source.stream.batches():
            while len(source.lane.items) >= MAX_WAITING_LINES or source.lane.size >= MAX_WAITING_BYTES:
                source.room.clear()
                await source.room.wait()
            source.lane.add(batch)
            source.arrivals.append((loop.time(), source.lane.newest))
            self._changed.set()
        source.lane.ended = True
        self._changed.set()

    def _on_error(self, error: Exception) -> None:
        self._failure = self._failure or error
        self._changed.set()
