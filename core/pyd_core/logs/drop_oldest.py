"""Lossy buffer that keeps only the newest lines of a fast log and counts the dropped ones."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator

from pyd_core.client.gap import Gap
from pyd_core.logs.line import LogLine
from pyd_core.logs.stream import Batch, LogStream
from pyd_core.tasks import TaskOwner

MAX_LINES = 5_000
MAX_BYTES = 4 * 2**20


def drop_oldest(source: LogStream, *, max_lines: int = MAX_LINES, max_bytes: int = MAX_BYTES) -> LogStream:
    """Read a log at full speed, and drop the oldest lines that the reader hasn't taken.

    Dropped lines are reported as a `Gap` with their count before the lines that follow.

    Args:
        source: The log, which has no other reader.
        max_lines: Maximum number of waiting lines.
        max_bytes: Maximum size of waiting lines.
    """
    return LogStream(_read_newest(source, max_lines, max_bytes))


class _Waiting:
    """Lines that the reader hasn't taken yet."""

    def __init__(self, lines: int, size: int) -> None:
        self._max_lines = lines
        self._max_bytes = size
        self._items: deque[LogLine | Gap] = deque()
        self._bytes = 0
        self._lost: Gap | None = None
        self.changed = asyncio.Event()
        self.ended = False

    def add(self, batch: Batch) -> None:
        for item in batch:
            self._items.append(item)
            self._bytes += _size(item)
        while len(self._items) > self._max_lines or (self._bytes > self._max_bytes and len(self._items) > 1):
            self._drop(self._items.popleft())
        self.changed.set()

    def _drop(self, item: LogLine | Gap) -> None:
        self._bytes -= _size(item)
        before = self._lost
        if isinstance(item, Gap):
            count, since, until, name, reason = item.lost, item.since_ns, item.until_ns, item.name, item.reason
        else:
            count, since, until, name, reason = 1, item.time_ns, item.time_ns, item.name, "lines came faster than shown"
        if before is not None:
            count = None if count is None or before.lost is None else before.lost + count
            since, name = before.since_ns, name if name == before.name else ""
        self._lost = Gap(reason=reason, lost=count, since_ns=since, until_ns=until, name=name)

    def take(self) -> Batch:
        items: Batch = [*([self._lost] if self._lost is not None else []), *self._items]
        self._items.clear()
        self._bytes, self._lost = 0, None
        if not self.ended:
            self.changed.clear()
        return items


async def _read_newest(source: LogStream, lines: int, size: int) -> AsyncGenerator[Batch, None]:
    waiting = _Waiting(lines, size)
    failures: list[Exception] = []

    async def read() -> None:
        try:
            async for batch in source.batches():
                waiting.add(batch)
                await asyncio.sleep(0)  # a source that always has data must not starve its reader
        finally:
            waiting.ended = True
            waiting.changed.set()

    try:
        async with TaskOwner(on_error=failures.append) as tasks:
            tasks.start(read(), name="newest lines")
            while True:
                await waiting.changed.wait()
                if batch := waiting.take():
                    yield batch
                elif waiting.ended:
                    break
        if failures:
            raise failures[0]
    finally:
        await source.aclose()


def _size(item: LogLine | Gap) -> int:
    return 200 if isinstance(item, Gap) else len(item.data) + 200  # the objects count too
