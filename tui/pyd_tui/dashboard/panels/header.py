"""The top line: which engine, how its containers do, and whether what is shown is current."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from pyd_tui.dashboard.engines.connection import EngineConnection
from pyd_tui.dashboard.render.engines import freshness_of_all
from pyd_tui.dashboard.render.figures import Clock
from pyd_tui.dashboard.render.header import counts, freshness, heading
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, width
from pyd_tui.dashboard.widgets.line import Line

LEAST = 24
"""Terminal columns left to what says how several engines do."""


class Header(Line):
    """Says it from the links, whenever it is told to look.

    Args:
        links: The engines that the screen is about.
        clock: Tells the time.
    """

    def __init__(self, links: Sequence[EngineConnection], clock: Clock) -> None:
        super().__init__(id="header")
        self.links = links
        self._clock = clock
        self.pointed: EngineConnection | None = None
        """The engine of which is said why it is lost, if several are."""

    def look(self) -> None:
        """Take what the links say now, as much of it as there is room for."""
        first, *others = self.links
        room = self.size.width - 2
        tally = self._tally(short=room < 100)
        name = f"{len(self.links)} engines" if others else first.engine_name
        if others:
            left = heading(name, "", room)
            by_need = sorted(self.links, key=lambda link: (link is not self.pointed, link.connection.since_ns))
            known = [(link.label, link.connection) for link in by_need]
            right = freshness_of_all(known, self._clock, max(LEAST, room - width(left) - width(tally) - 6))
        else:
            right = freshness(first.connection, self._clock)
        if any(link.endpoint is not None and link.endpoint.read_only for link in self.links):
            right = (Span("read-only   ", "info"), *right)
        if tally:
            right = (*tally, Span("   "), *right)
        url = first.endpoint.url if first.endpoint is not None and not others else ""
        self.put(heading(name, url, room - width(right) - 3), right)

    def _tally(self, *, short: bool) -> Cell:
        links = [link for link in self.links if link.fleet is not None]
        entries = chain.from_iterable(link.containers.values() for link in links)
        return counts(entries, sum(link.broken for link in links), short=short) if links else EMPTY

    def on_resize(self) -> None:
        """Another width has room for more or less."""
        self.look()
