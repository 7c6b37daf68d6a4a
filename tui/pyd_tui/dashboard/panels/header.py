"""The top line: which engine, how its containers do, and whether what is shown is current."""

from __future__ import annotations

from pyd_tui.dashboard.link import Link
from pyd_tui.dashboard.render.figures import Clock
from pyd_tui.dashboard.render.header import counts, freshness, heading
from pyd_tui.dashboard.render.pieces import EMPTY, Piece, width
from pyd_tui.dashboard.widgets.line import Line


class Header(Line):
    """Says it from the link, whenever it is told to look."""

    def __init__(self, link: Link, clock: Clock) -> None:
        super().__init__(id="header")
        self.link = link
        self._clock = clock

    def look(self) -> None:
        """Takes what the link says now, as much of it as there is room for."""
        link = self.link
        room = self.size.width - 2
        right = freshness(link.connection, self._clock)
        if link.endpoint is not None and link.endpoint.read_only:
            right = (Piece("read-only   ", "info"), *right)
        tally = counts(link.containers.values(), link.is_broken, short=room < 100) if link.fleet is not None else EMPTY
        if tally:
            right = (*tally, Piece("   "), *right)
        left = heading(link.engine_name, link.endpoint.url if link.endpoint else "", room - width(right) - 3)
        self.put(left, right)

    def on_resize(self) -> None:
        """Another width has room for more or less."""
        self.look()
