"""What a search through the logs of all containers has found so far: in the order of time, and within bounds."""

from __future__ import annotations

import asyncio
from bisect import insort
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyd_core.errors import PydError
from pyd_core.logs.line import LogLine
from pyd_core.logs.search_all import LogMatch, sweep

if TYPE_CHECKING:
    from pyd_core.logs.pattern import LogPattern
    from pyd_tui.dashboard.engines.connection import EngineConnection

MOST = 5_000
"""Lines that are held; then the search is over."""
MOST_BYTES = 16 << 20
"""Bytes of them."""

Place = tuple[int, int]
"""When a line was printed, nanoseconds since the epoch, and a number that no other line has."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A line that was found, and the engine of its container."""

    link: EngineConnection
    line: LogLine


class SearchResults:
    """Searches the logs of all containers of some engines, of those that don't run too, a few at a time.

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
        self.hits: dict[Place, Hit] = {}
        self.places: list[Place] = []
        """Of the hits, in the order of time."""
        self.containers = 0
        """Whose logs are searched."""
        self.read = 0
        """Of them, those that were read to their end."""
        self.holders: set[str] = set()
        """Containers, by id, with a line that was found."""
        self.errors: list[PydError] = []
        """Why logs couldn't be read."""
        self.full = False
        """Whether there may be more than is held."""

    async def run(self) -> None:
        """Search until all is read or as much is found as is held; end with the task that runs it."""
        await asyncio.gather(*(self._search(link) for link in self._links))

    async def _search(self, link: EngineConnection) -> None:
        try:
            engine = link.require()
            known = await engine.containers.list(all=True)
            self.containers += len(known)
            async with aclosing(sweep(engine, known, self.pattern)) as news:
                async for finding in news:
                    self._take(link, finding)
                    if self.full:
                        return
        except PydError as error:
            self.errors.append(error)
        finally:
            self._changed()

    def _take(self, link: EngineConnection, finding: LogMatch) -> None:
        self.read += finding.done
        if finding.error is not None:
            self.errors.append(finding.error)
        for line in finding.lines:
            if len(self.places) >= MOST or self._bytes >= MOST_BYTES:
                self.full = True
                break
            place = (line.time_ns, len(self.places))
            insort(self.places, place)
            self.hits[place] = Hit(link, line)
            self.holders.add(line.container_id)
            self._bytes += len(line.data)
        self._changed()
