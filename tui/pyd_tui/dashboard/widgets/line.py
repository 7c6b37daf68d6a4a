"""A single line with text on the left and on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Region
from textual.widget import Widget

from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, fit, width
from pyd_tui.dashboard.theme.styles import StylePalette
from pyd_tui.dashboard.theme.themes import palette_of
from pyd_tui.dashboard.widgets.strips import strip

if TYPE_CHECKING:
    from textual import events
    from textual.strip import Strip


class Line(Widget):
    """A bar that is repainted only when its content changes."""

    DEFAULT_CSS = "Line { height: 1; width: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._content: tuple[Cell, Cell] = (EMPTY, EMPTY)

    def content(self, room: int) -> tuple[Cell, Cell]:
        """Return the left and right content for a number of terminal columns."""
        del room
        return self._content

    def put(self, left: Cell, right: Cell = EMPTY) -> None:
        """Replace the content."""
        if (left, right) != self._content:
            self._content = (left, right)
            self.repaint_line()

    def repaint_line(self) -> None:
        """Repaint the line."""
        self.refresh(Region(0, 0, self.size.width, 1))

    def clicked(self, x: int) -> None:
        """Act on a click on a terminal column of the left content; by default nothing does."""

    def on_click(self, event: events.Click) -> None:
        """Act on a click."""
        self.clicked(event.x - 1)

    def ground(self, palette: StylePalette) -> str:
        """Return the background colour."""
        return palette.panel

    def render_line(self, y: int) -> Strip:
        """Draw the line; where room is short, the left content is cut."""
        del y
        room = self.size.width
        left, right = self.content(room - 2)
        right_width = min(width(right), max(0, room - 2))
        pieces = (Span(" "), *fit(left, room - 2 - right_width), *fit(right, right_width), Span(" "))
        palette = palette_of(self.app)
        return strip(fit(pieces, room), palette, self.ground(palette))
