"""A virtual list of one-line rows: only rows on screen are rendered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Region
from textual.widget import Widget

if TYPE_CHECKING:
    from textual import events


SIDE_STEP_COLUMNS = 16
"""Terminal columns of one step sideways."""


class Rows(Widget, can_focus=True):
    """Base of tables and text views: an offset into many rows, and moves over them.

    It scrolls itself instead of using Textual's scroll bars: the position is one integer, nothing is animated, and no
    layout is computed for a scroll.
    """

    DRAGS = True
    """Whether the scroll bar is dragged in the same way as all others."""
    HEAD = 0
    """Fixed lines above the rows."""

    DEFAULT_CSS = "Rows { width: 1fr; height: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.top = 0
        self._dragging = False
        self.left = 0
        """Terminal columns that long content is scrolled sideways."""

    @property
    def count(self) -> int:
        """Number of rows."""
        raise NotImplementedError

    @property
    def page(self) -> int:
        """Number of rows that fit on the screen."""
        return max(0, self.size.height - self.HEAD)

    @property
    def highest_top(self) -> int:
        """The offset at which the last row is on the last line."""
        return max(0, self.count - self.page)

    def scroll_rows(self, top: int) -> bool:
        """Make `top` (kept in range) the first visible row, and return whether that changed anything."""
        top = min(max(0, top), self.highest_top)
        if top == self.top:
            return False
        self.top = top
        self.refresh()
        return True

    def repaint(self, y: int, x: int = 0, width: int | None = None) -> None:
        """Repaint a part of one line; `y` and `x` count from the widget's corner."""
        self.refresh(Region(x, y, self.size.width if width is None else width, 1))

    def move(self, rows: int) -> None:
        """Move by a number of rows."""
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
        """Scroll left."""
        self._slide(-SIDE_STEP_COLUMNS)

    def action_right(self) -> None:
        """Scroll right."""
        self._slide(SIDE_STEP_COLUMNS)

    @property
    def farthest(self) -> int:
        """Largest number of columns to scroll sideways."""
        return 1 << 20

    def _slide(self, columns: int) -> None:
        left = min(max(0, self.left + columns), self.farthest)
        if left != self.left:
            self.left = left
            self.refresh()

    def drag_to(self, y: int) -> None:
        """Scroll to the position at a height of the scroll bar."""
        self.scroll_rows(round((y - self.HEAD) * self.highest_top / max(1, self.page - 1)))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Grab the scroll bar."""
        if self.DRAGS and event.x == self.size.width - 1 and event.y >= self.HEAD and self.count > self.page:
            self._dragging = True
            self.capture_mouse()
            self.drag_to(event.y)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Move the grabbed scroll bar."""
        if self._dragging:
            self.drag_to(event.y)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let go of the scroll bar."""
        del event
        if self._dragging:
            self._dragging = False
            self.release_mouse()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move three rows per notch of the wheel, as terminals do."""
        event.stop()
        self.move(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move three rows per notch of the wheel, as terminals do."""
        event.stop()
        self.move(-3)
