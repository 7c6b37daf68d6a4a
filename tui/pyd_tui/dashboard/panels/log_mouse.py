"""The mouse in a log: click, drag to select, and the scroll bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pyd_tui.dashboard.logs.logbook import Logbook
from pyd_tui.dashboard.render.log_rows import DrawnRow
from pyd_tui.dashboard.widgets.rows import Rows

if TYPE_CHECKING:
    from textual import events


class LogMouse(Rows):
    """The part of a log view that takes mouse events."""

    DRAGS = False
    book: Logbook
    selection_start: int | None

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._pressed: int | None = None
        """The line on which the mouse button was pressed."""
        self.on_selected: Callable[[], None] = lambda: None
        """Called when lines were selected with the mouse."""

    def go(self, number: int, *, hold: bool = True, middle: bool = False) -> None:
        """Move the cursor to a line and show it."""
        raise NotImplementedError

    def drawn_rows(self) -> Sequence[DrawnRow]:
        """Return the rows on the screen."""
        raise NotImplementedError

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Move the cursor to the line under the mouse, or the view to the place on the scroll bar."""
        event.stop()
        self.focus()
        self.selection_start = None
        if event.x >= self.size.width - 1 and self.count > self.page:
            self.go(self.book.shown.number(min(self.count - 1, event.y * self.count // max(1, self.page))), middle=True)
            return
        if (number := self._number_at(event.y)) is not None:
            self._pressed = number
            self.capture_mouse()
            self.go(number)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Select lines while the button is pressed."""
        if self._pressed is None or (number := self._number_at(event.y)) is None:
            return
        event.stop()
        if number != self._pressed or self.selection_start is not None:
            self.selection_start = self._pressed
            self.go(number)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """End a selection."""
        if self._pressed is None:
            return
        event.stop()
        self._pressed = None
        self.release_mouse()
        if self.selection_start is not None:
            self.on_selected()

    def _number_at(self, y: int) -> int | None:
        rows = self.drawn_rows()
        return rows[min(max(0, y), len(rows) - 1)].number if rows else None
