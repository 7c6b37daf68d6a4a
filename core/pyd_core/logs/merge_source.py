"""Waiting lines of logs that are merged, and their order."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from pyd_core.client.gap import Gap
from pyd_core.logs.line import LogLine
from pyd_core.logs.stream import Batch


class MergeSource:
    """The waiting lines of a source.

    `keys` are their times, raised to the previous one where a line is older, so that they never decrease.
    """

    __slots__ = ("ended", "items", "keys", "newest", "size")

    def __init__(self) -> None:
        self.items: Batch = []
        self.keys: list[int] = []
        self.newest = 0
        self.size = 0
        """Bytes in the lines."""
        self.ended = False

    def add(self, batch: Batch) -> None:
        """Append lines."""
        times = (0 if isinstance(item, Gap) else item.time_ns for item in batch)
        keys = list(accumulate(times, max, initial=self.newest))
        self.newest = keys[-1]
        self.keys += keys[1:]
        self.items += batch
        self.size += _size(batch)

    def take(self, bound: int) -> tuple[Batch, list[int]]:
        """Remove and return the lines that aren't newer than `bound`, with their keys."""
        end = bisect_right(self.keys, bound)
        items, keys = self.items[:end], self.keys[:end]
        del self.items[:end], self.keys[:end]
        self.size = self.size - _size(items) if self.items else 0
        return items, keys


def emit_ready(lanes: Sequence[MergeSource], bound: int) -> Batch:
    """Remove the lines that aren't newer than `bound` from all sources and return them in order."""
    items: list[LogLine | Gap] = []
    keys: list[int] = []
    used = 0
    for lane in lanes:
        more, its_keys = lane.take(bound)
        if more:
            used += 1
            items += more
            keys += its_keys
    if used < 2:
        return items
    return [items[index] for index in sorted(range(len(items)), key=keys.__getitem__)]


def _size(batch: Batch) -> int:
    return sum(0 if isinstance(item, Gap) else len(item.data) for item in batch)
