"""A virtual table fed by deltas: only changed cells are painted."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from textual.message import Message

from pyd_core.sanitise import safe
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.render.layout import LayoutColumn, PlacedColumn, arrange, choose_columns
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Role, Span, cell, fit
from pyd_tui.dashboard.theme.themes import palette_of
from pyd_tui.dashboard.widgets.rows import Rows
from pyd_tui.dashboard.widgets.strips import strip, thumb

if TYPE_CHECKING:
    from textual import events
    from textual.strip import Strip

Key = TypeVar("Key", bound=Hashable)
_Row = tuple[Key, bool, bool, tuple[Cell, ...]]
"""A painted row: its key, whether it is marked and stale, its cells."""

GUTTER_COLUMNS = 3
"""Terminal columns on the left: cursor bar, mark, and a blank."""
RIGHT_BUTTON = 3
"""The right mouse button, as terminals number it (xterm control sequences)."""
EDGE_COLUMNS = 2
"""Terminal columns on the right: a blank, and the scroll mark."""


class Table(Rows, Generic[Key]):
    """Rows identified by a key, in columns fitted to the available width.

    The painted cells of the rows on screen are kept. `sync` computes them again and repaints only those that differ, so
    an idle table costs the terminal nothing, whatever the number of rows.

    Args:
        columns: All columns.
        cells: Returns a row's cells, one for each column.
        id: The widget's name.
    """

    HEAD = 1
    HEADS_EMPTY = True
    """Whether the headings are shown without rows too."""
    SLIDES = ""
    """The column that scrolls sideways, if any."""
    BINDINGS = bindings("move")

    class Moved(Message):
        """The cursor has moved to another row, or there is none."""

    class HeadClicked(Message):
        """The heading of a column was clicked."""

        def __init__(self, column: str) -> None:
            super().__init__()
            self.column = column
            """The column's key."""

    class ColumnsRequested(Message):
        """A heading was clicked with the right button."""

    class Opened(Message):
        """A row was clicked twice."""

    class MenuRequested(Message):
        """A row was clicked with the right button."""

    class Marked(Message):
        """The marks have changed."""

    class Viewed(Message):
        """The set of visible rows has changed."""

    def __init__(self, columns: Sequence[LayoutColumn], cells: Callable[[Key], tuple[Cell, ...]], *, id: str) -> None:
        super().__init__(id=id)
        self._columns = columns
        self._chosen = tuple(columns)
        self._cells = cells
        self._content_widths: Mapping[str, int] = {}
        self._placed: tuple[PlacedColumn, ...] = ()
        self._painted: dict[int, _Row[Key]] = {}
        self._visible: tuple[Key, ...] = ()
        self.keys: list[Key] = []
        self.index = 0
        self.marked: set[Key] = set()
        self._last_mark: Key | None = None
        self._marks_shown = 0
        self.stale = False
        self.sorted_by = ""
        self._reverse = False
        self._titles: dict[str, str] = {}
        self.was_seen = False
        """Whether any row has been on screen."""
        self._message: tuple[tuple[str, Role], ...] = ()

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.keys)

    @property
    def key(self) -> Key | None:
        """The key of the row under the cursor."""
        return self.keys[self.index] if self.keys else None

    @property
    def visible_keys(self) -> tuple[Key, ...]:
        """The keys of the rows on screen, from top to bottom."""
        return tuple(self.keys[self.top : self.top + self.page])

    def set_rows(self, keys: list[Key], content_widths: Mapping[str, int]) -> None:
        """Set the rows and their order; the cursor stays on its row, or at its position."""
        if keys == self.keys and content_widths == self._content_widths:
            self.sync()
            return
        before = self.key
        self.keys = keys
        if before is not None and before in (indexes := {key: index for index, key in enumerate(keys)}):
            self.index = indexes[before]
        self.index = min(self.index, max(0, len(keys) - 1))
        self.marked &= set(keys)
        self.top = min(self.top, self.highest_top)
        self._keep_cursor_in_view()
        if content_widths != self._content_widths:
            self._content_widths = content_widths
            self._arrange()
            self.refresh()
        self.sync()
        if self.key != before:
            self.post_message(self.Moved())

    def sync(self) -> None:
        """Repaint the cells that differ from the screen."""
        if len(self.marked) != self._marks_shown:
            self._marks_shown = len(self.marked)
            self.post_message(self.Marked())
        for y in range(self.page):
            row = self._row(y)
            before = self._painted.get(y)
            if row == before:
                continue
            if row is None or before is None or row[:3] != before[:3]:
                self._painted.pop(y, None)
                self.repaint(y + self.HEAD)
                continue
            differing = [placed for placed in self._placed if row[3][placed.index] != before[3][placed.index]]
            if differing:  # one region: Textual writes the line once for each region
                x, last = differing[0].x, differing[-1]
                self.repaint(y + self.HEAD, GUTTER_COLUMNS + x, last.x + last.width - x)
        self._notice_view()

    def set_stale(self, *, stale: bool) -> None:
        """Set whether everything is dimmed, since the data may be out of date."""
        if stale != self.stale:
            self.stale = stale
            self.refresh()

    def is_marked(self, key: Key) -> bool:
        """Return whether a row is shown as marked."""
        return key in self.marked

    def is_stale(self, key: Key) -> bool:
        """Return whether a row is dimmed."""
        del key
        return self.stale

    def say(self, *lines: tuple[str, Role]) -> None:
        """Set the lines shown while there are no rows."""
        if lines != self._message:
            self._message = lines
            self.refresh()

    @property
    def farthest(self) -> int:
        """Columns to scroll until the end of the longest text is visible."""
        return max(0, self._content_widths.get(self.SLIDES, 0) - self.column_width(self.SLIDES))

    def set_sorted_by(self, key: str, *, reverse: bool = False) -> None:
        """Highlight the column that determines the order."""
        if (key, reverse) != (self.sorted_by, self._reverse):
            self.sorted_by, self._reverse = key, reverse
            self.repaint(0)

    def set_title(self, key: str, title: str) -> None:
        """Replace a column's heading, by one no wider than its own."""
        if self._titles.get(key) != title:
            self._titles[key] = title
            self.repaint(0)

    def shows(self, key: str) -> bool:
        """Return whether there is room for a column."""
        return any(placed.column.key == key for placed in self._placed)

    def column_width(self, key: str) -> int:
        """Return the terminal columns of a column; 0 while it isn't shown."""
        return next((placed.width for placed in self._placed if placed.column.key == key), 0)

    def move(self, rows: int) -> None:
        """Move the cursor."""
        self._go(self.index + rows)

    def go_to(self, key: Key) -> None:
        """Move the cursor to a row, if it exists."""
        if key in self.keys:
            self._go(self.keys.index(key))

    def toggle_mark(self) -> None:
        """Toggle the mark of the row under the cursor, and move to the next."""
        if self.key is None:
            return
        self.marked ^= {self.key}
        self._last_mark = self.key
        self.sync()
        self.move(1)

    def mark_range(self) -> None:
        """Mark all rows between the last marked one and the cursor."""
        if self.key is None:
            return
        last = self._last_mark
        start = self.keys.index(last) if last is not None and last in self.keys else self.index
        low, high = sorted((start, self.index))
        self.marked |= set(self.keys[low : high + 1])
        self._last_mark = self.key
        self.sync()

    def mark_all(self) -> None:
        """Mark all rows; if they already are, remove all marks."""
        self.marked = set() if self.marked >= set(self.keys) else set(self.keys)
        self.sync()

    def clear_marks(self) -> None:
        """Remove all marks."""
        self.marked.clear()
        self.sync()

    def _go(self, index: int) -> None:
        index = min(max(0, index), max(0, self.count - 1))
        if index == self.index:
            return
        self.repaint(self.index - self.top + self.HEAD)
        self.index = index
        self._keep_cursor_in_view()
        self.repaint(self.index - self.top + self.HEAD)
        self._notice_view()
        self.post_message(self.Moved())

    def _keep_cursor_in_view(self) -> None:
        if self.page and not self.top <= self.index < self.top + self.page:
            top = self.index - self.page + 1 if self.index >= self.top + self.page else self.index
            self.scroll_rows(top)

    def _notice_view(self) -> None:
        if (now := self.visible_keys) != self._visible:
            self._visible = now
            self.post_message(self.Viewed())

    def choose_columns(self, names: Sequence[str], always: Sequence[str] = ()) -> None:
        """Show only some columns, in this order; none shows all. Those of `always` stay."""
        chosen = choose_columns(self._columns, names)
        self._chosen = (*chosen, *(column for column in self._columns if column.key in always and column not in chosen))
        self._arrange()
        self.refresh()

    def _arrange(self) -> None:
        room = self.size.width - GUTTER_COLUMNS - EDGE_COLUMNS
        indexes = {column.key: index for index, column in enumerate(self._columns)}
        placed = arrange(self._chosen, room, self._content_widths)
        self._placed = tuple(PlacedColumn(item.column, indexes[item.column.key], item.x, item.width) for item in placed)

    def _row(self, y: int) -> _Row[Key] | None:
        index = self.top + y
        if index >= self.count:
            return None
        key = self.keys[index]
        return key, self.is_marked(key), self.is_stale(key), self._cells(key)

    def on_resize(self) -> None:
        """Fit the columns to another width."""
        self._arrange()
        self.top = min(self.top, self.highest_top)
        self._keep_cursor_in_view()
        self.refresh()
        self._notice_view()

    def on_focus(self) -> None:
        """Repaint the cursor's bar, which shows the focus."""
        self.repaint(self.index - self.top + self.HEAD)

    def on_blur(self) -> None:
        """Repaint the cursor's bar, which shows the focus."""
        self.repaint(self.index - self.top + self.HEAD)

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the clicked row; sort by a heading; open on a double click, the menu on a right one."""
        if event.y < self.HEAD:
            column = next(
                (placed for placed in self._placed if placed.x <= event.x - GUTTER_COLUMNS < placed.end), None
            )
            if event.button == RIGHT_BUTTON:
                self.post_message(self.ColumnsRequested())
            elif column is not None:
                self.post_message(self.HeadClicked(column.column.key))
            return
        row = self.top + event.y - self.HEAD
        if row >= self.count or event.x >= self.size.width - 1:
            return
        self._go(row)
        if event.button == RIGHT_BUTTON:
            self.post_message(self.MenuRequested())
        elif event.chain == 2:
            self.post_message(self.Opened())

    def drag_to(self, y: int) -> None:
        """Move the cursor to the row at a height of the scroll bar."""
        self._go(round((y - self.HEAD) * max(0, self.count - 1) / max(1, self.page - 1)))

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        palette = palette_of(self.app)
        if y < self.HEAD:
            return strip(self._heading(), palette)
        row = self._row(y - self.HEAD)
        if row is None:
            self._painted.pop(y - self.HEAD, None)
            return strip(fit(self._message_line(y - self.HEAD - 1), self.size.width), palette)
        self._painted[y - self.HEAD] = row
        self.was_seen = True
        at_cursor = self.top + y - self.HEAD == self.index
        ground = (palette.cursor if self.has_focus else palette.cursor_blur) if at_cursor else None
        mark = Span("◆", "accent") if row[1] else Span(" ")
        pieces = [Span("▌", "accent") if at_cursor else Span(" "), mark, Span(" ")]
        pieces += self._line(row[3])
        pieces += (Span(" "), thumb(y - self.HEAD, self.page, self.top, self.count))
        return strip(pieces, palette, ground, stale=row[2])

    def _line(self, cells: Sequence[Cell]) -> Cell:
        pieces: list[Span] = []
        x = 0
        for placed in self._placed:
            pieces.append(Span(" " * (placed.x - x)))
            column = placed.column
            pieces += fit(cells[placed.index], placed.width, right=column.right, cut_start=column.cut_start)
            x = placed.x + placed.width
        return fit(tuple(pieces), self.size.width - GUTTER_COLUMNS - EDGE_COLUMNS)

    def _message_line(self, index: int) -> Cell:
        """Return a line of the message that replaces the rows."""
        if self.keys or index < 0:
            return EMPTY
        room = max(20, self.size.width - GUTTER_COLUMNS - EDGE_COLUMNS)
        lines = [cell(line, role) for text, role in self._message for line in textwrap.wrap(safe(text), room)]
        return (Span(" " * GUTTER_COLUMNS), *lines[index]) if index < len(lines) else EMPTY

    def _heading(self) -> Cell:
        if not (self.keys or self.HEADS_EMPTY):
            return fit(EMPTY, self.size.width)
        titles: list[Cell] = []
        for column in self._columns:
            here = column.key == self.sorted_by
            title = self._titles.get(column.key, column.title) + ("▴" if here and self._reverse else "")
            titles.append((Span(title, "strong" if here else "dim"),))
        return fit((Span(" " * GUTTER_COLUMNS), *self._line(titles)), self.size.width)
