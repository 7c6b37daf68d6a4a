"""A line of views: which there are, by which digit each opens, and which one is open."""

from __future__ import annotations

from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Piece
from pyd_tui.dashboard.widgets.line import Line

VIEWS = ("containers", "images", "networks", "volumes", "events", "system")
"""The views with a digit, in the order of these."""
BY_NAME = ("deaths",)
"""Those that are opened by their name alone."""


class Views(Line):
    """Digits and names; where there is no room for all names, that of the open one."""

    def __init__(self, current: str) -> None:
        super().__init__(id="views")
        self._current = current

    def content(self, room: int) -> tuple[Cell, Cell]:
        """Returns the names."""
        short = sum(len(name) + 4 for name in VIEWS) - 2 > room
        pieces: list[Piece] = []
        for digit, name in enumerate(VIEWS, 1):
            chosen = name == self._current
            pieces.append(Piece("  " if pieces else ""))
            pieces.append(Piece(str(digit), "accent" if not chosen else "title"))
            if chosen or not short:
                pieces.append(Piece(f" {name.capitalize()}", "title" if chosen else "dim"))
        return tuple(pieces), EMPTY
