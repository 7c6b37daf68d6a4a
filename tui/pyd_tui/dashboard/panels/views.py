"""A line of views: which there are, by which digit each opens, and which one is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pyd_tui.dashboard.render.engines import tabs
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Piece, width
from pyd_tui.dashboard.widgets.line import Line

if TYPE_CHECKING:
    from pyd_tui.dashboard.app import Dashboard

VIEWS = ("containers", "images", "networks", "volumes", "events", "system")
"""All views, in the order of their digits."""

SHORT = 34
"""Terminal columns that the digits take with the longest name among them."""


class Views(Line):
    """Digits and names; where there is no room for all names, that of the open one."""

    def __init__(self, current: str) -> None:
        super().__init__(id="views")
        self._current = current

    def _engines(self, room: int) -> Cell:
        """The engines, where there are several."""
        dashboard = cast("Dashboard", self.app)
        if len(dashboard.links) < 2:
            return EMPTY
        known = [(link.name, link.connection.state, link.broken, link is dashboard.link) for link in dashboard.links]
        return tabs(known, room)

    def content(self, room: int) -> tuple[Cell, Cell]:
        """Returns the names."""
        engines = self._engines(room - SHORT)
        room -= width(engines) + 3 * bool(engines)
        short = sum(len(name) + 4 for name in VIEWS) - 2 > room
        pieces: list[Piece] = []
        for digit, name in enumerate(VIEWS, 1):
            chosen = name == self._current
            pieces.append(Piece("  " if pieces else ""))
            pieces.append(Piece(str(digit), "accent" if not chosen else "title"))
            if chosen or not short:
                pieces.append(Piece(f" {name.capitalize()}", "title" if chosen else "dim"))
        return tuple(pieces), engines
