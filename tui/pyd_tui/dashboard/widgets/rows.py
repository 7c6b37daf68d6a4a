"""A virtual list of one-line rows: only what is on screen is ever rendered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Region
from textual.widget import Widget

if TYPE_CHECKING:
    from textual import events


SIDE_STEP = 16
"""Terminal columns that one move sideways goes."""


class Rows(Widget, can_focus=True):
    """What the table and the text view share: an offset into many rows, and the moves over it.

    It scrolls itself instead of using Textual's scroll bars: one integer is all there is to it, nothing is animated,
    and no layout is ever computed for a scroll.
    """

    HEAD = 0
    """Fixed lines above the rows."""

    DEFAULT_CSS = "Rows { width: 1fr; height: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.top = 0
        self.left = 0
        """How far what is long is moved sideways, in terminal columns."""

    @property
    def count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    @property
    def page(self) -> int:
        """How many rows fit on the screen."""
        return max(0, self.size.height - self.HEAD)

    @property
    def highest_top(self) -> int:
        """The offset at which the last row is the last line."""
        return max(0, self.count - self.page)

    def scroll_rows(self, top: int) -> bool:
        """Make `top` (kept in range) the first row shown, and return whether that is a change."""
        top = min(max(0, top), self.highest_top)
        if top == self.top:
            return False
        self.top = top
        self.refresh()
        return True

    def repaint(self, y: int, x: int = 0, width: int | None = None) -> None:
        """Have a part of one line painted again; `y` and `x` count from the widget's corner."""
        self.refresh(Region(x, y, self.size.width if width is None else width, 1))

    def move(self, rows: int) -> None:
        """Move by some rows."""
        self.scroll_rows(self.top + rows)

    def action_down(self) -> None:
        """Move one row down."""
        self.move(1)

    def action_up(self) -> None:
        """Move one row up."""
        self.move(-1)

    def action_half_down(self) -> None:
        """Move half a page down."""
        self.move(max(1, self.page // 2))

    def action_half_up(self) -> None:
        """Move half a page up."""
        self.move(-max(1, self.page // 2))

    def action_first(self) -> None:
        """Move to the first row."""
        self.move(-self.count)

    def action_last(self) -> None:
        """Move to the last row."""
        self.move(self.count)

    def action_left(self) -> None:
        """Go back towards the beginning of what is long."""
        self._slide(-SIDE_STEP)

    def action_right(self) -> None:
        """Go towards the end of what is long."""
        self._slide(SIDE_STEP)

    @property
    def farthest(self) -> int:
        """How far what is long can be moved sideways."""
        return 1 << 20

    def _slide(self, columns: int) -> None:
        left = min(max(0, self.left + columns), self.farthest)
        if left != self.left:
            self.left = left
            self.refresh()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Three rows for a notch of the wheel, as terminals do."""
        event.stop()
        self.move(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Three rows for a notch of the wheel, as terminals do."""
        event.stop()
        self.move(-3)
