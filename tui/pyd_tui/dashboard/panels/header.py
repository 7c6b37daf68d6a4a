"""The top line: engine, containers by state, and whether the data is current."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from pyd_tui.dashboard.engines.connection import EngineConnection
from pyd_tui.dashboard.render.engines import freshness_of_all
from pyd_tui.dashboard.render.figures import Clock
from pyd_tui.dashboard.render.header import counts, freshness, heading
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, width
from pyd_tui.dashboard.widgets.line import Line

MIN_FRESHNESS_COLUMNS = 24
"""Terminal columns kept for the state of several engines."""


class Header(Line):
    """The top line, taken from the connections whenever it is updated.

    Args:
        links: The engines the screen shows.
        clock: The clock.
    """

    def __init__(self, links: Sequence[EngineConnection], clock: Clock) -> None:
        super().__init__(id="header")
        self.links = links
        self._clock = clock
        self.focused_link: EngineConnection | None = None
        """The engine whose loss is explained first, if several are lost."""

    def update_content(self) -> None:
        """Update the content, as much of it as fits."""
        first, *others = self.links
        room = self.size.width - 2
        tally = self._counts(short=room < 100 and bool(others))
        name = f"{len(self.links)} engines" if others else first.engine_name
        if others:
            left = heading(name, "", room)
            links = sorted(self.links, key=lambda link: (link is not self.focused_link, link.connection.since_ns))
            known = [(link.label, link.connection) for link in links]
            right = freshness_of_all(
                known, self._clock, max(MIN_FRESHNESS_COLUMNS, room - width(left) - width(tally) - 6)
            )
        else:
            right = freshness(first.connection, self._clock)
        if any(link.endpoint is not None and link.endpoint.read_only for link in self.links):
            right = (Span("read-only   ", "info"), *right)
        url = first.endpoint.url if first.endpoint is not None and not others else ""
        if not others and room < 100 and width((*heading(name, url, room), *tally, *right)) + 6 > room:
            tally = self._counts(short=True)
        if tally:
            right = (*tally, Span("   "), *right)
        self.put(heading(name, url, room - width(right) - 3), right)

    def _counts(self, *, short: bool) -> Cell:
        links = [link for link in self.links if link.watcher is not None]
        containers = chain.from_iterable(link.containers.values() for link in links)
        return counts(containers, sum(link.broken for link in links), short=short) if links else EMPTY

    def on_resize(self) -> None:
        """Fit the content to another width."""
        self.update_content()
