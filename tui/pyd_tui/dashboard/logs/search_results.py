"""Results of a search through the logs of all containers, ordered by time and bounded."""

from __future__ import annotations

import asyncio
from bisect import insort
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyd_core.errors import PydError
from pyd_core.logs.line import LogLine
from pyd_core.logs.search_all import LogMatch, search_all

if TYPE_CHECKING:
    from pyd_core.logs.pattern import LogPattern
    from pyd_tui.dashboard.engines.connection import EngineConnection

MAX_LINES = 5_000
"""Lines that are kept; then the search ends."""
MAX_BYTES = 16 << 20
"""Bytes that are kept."""

HitKey = tuple[int, int]
"""A line's time, nanoseconds since the epoch, and a number unique among the lines."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A matching line, and the engine of its container."""

    link: EngineConnection
    line: LogLine


class SearchResults:
    """Searches the logs of all containers of some engines, running or not, a few at a time.

    Args:
        links: The engines.
        pattern: What to look for.
        changed: Called whenever there is more to show.
    """

    def __init__(self, links: Sequence[EngineConnection], pattern: LogPattern, changed: Callable[[], None]) -> None:
        self.pattern = pattern
        self._links = links
        self._changed = changed
        self._bytes = 0
        self.hits: dict[HitKey, Hit] = {}
        self.keys: list[HitKey] = []
        """Keys of the hits, ordered by time."""
        self.containers = 0
        """Number of containers whose logs are searched."""
        self.read_count = 0
        """Number of logs read to their end."""
        self.holders: set[str] = set()
        """Ids of containers with a matching line."""
        self.errors: list[PydError] = []
        """Errors of logs that couldn't be read."""
        self.full = False
        """Whether more may match than is kept."""

    async def run(self) -> None:
        """Search until all logs are read or the limit is reached; cancelled with the task that runs it."""
        await asyncio.gather(*(self._search(link) for link in self._links))

    async def _search(self, link: EngineConnection) -> None:
        try:
            engine = link.require()
            containers = await engine.containers.list(all=True)
            self.containers += len(containers)
            async with aclosing(search_all(engine, containers, self.pattern)) as matches:
                async for match in matches:
                    self._take(link, match)
                    if self.full:
                        return
        except PydError as error:
            self.errors.append(error)
        finally:
            self._changed()

    def _take(self, link: EngineConnection, match: LogMatch) -> None:
        self.read_count += match.done
        if match.error is not None:
            self.errors.append(match.error)
        for line in match.lines:
            if len(self.keys) >= MAX_LINES or self._bytes >= MAX_BYTES:
                self.full = True
                break
            key = (line.time_ns, len(self.keys))
            insort(self.keys, key)
            self.hits[key] = Hit(link, line)
            self.holders.add(line.container_id)
            self._bytes += len(line.data)
        self._changed()
