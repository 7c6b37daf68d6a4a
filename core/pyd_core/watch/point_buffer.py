"""Buffer of the points of usage curves between two writes to the history."""

from __future__ import annotations

import sys

from pyd_core.watch.history_store import Point
from pyd_core.watch.stats import Usage

MAX_GAP_S = 5
"""Seconds after which a container's use is written although it hasn't changed."""


class PointBuffer:
    """Points that aren't written yet. A container that does nothing gets a point every `MAX_GAP_S` only."""

    def __init__(self) -> None:
        self._points: list[Point] = []
        self._last: dict[str, Point] = {}

    def add(self, container: str, usage: Usage) -> None:
        """Add a container's use, unless it is the same as a moment ago."""
        cpu = None if usage.cpu_percent is None else round(usage.cpu_percent * 10)
        memory = None if usage.memory_bytes is None else usage.memory_bytes // 1024
        seconds, last = usage.time_ns // 10**9, self._last.get(container)
        if last is not None and (last.cpu, last.memory) == (cpu, memory) and 0 <= seconds - last.time < MAX_GAP_S:
            return
        point = self._last[container] = Point(seconds, sys.intern(container), cpu, memory)
        self._points.append(point)

    def add_limit(self, container: str, time_ns: int, limit_bytes: int) -> None:
        """Add the moment at which a container used all the memory that it may."""
        self._points.append(Point(time_ns // 10**9, sys.intern(container), None, limit_bytes // 1024))

    def forget(self, container: str) -> None:
        """Drop what is known of a removed container; its points are still written."""
        self._last.pop(container, None)

    def take(self) -> list[Point]:
        """Return all points, and start again."""
        points, self._points = self._points, []
        return points

    def __len__(self) -> int:
        return len(self._points)
