"""The lines of a log screen: cursor, matches, marks and a selection, while new lines arrive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from pyd_core.logs.pattern import LogPattern
from pyd_core.logs.store import LogItem
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.logs.logbook import Logbook
from pyd_tui.dashboard.render.figures import Clock, counted
from pyd_tui.dashboard.render.logrow import LogStyle, log_row, pattern_mode
from pyd_tui.dashboard.render.pieces import Cell, Span, cell, fit, highlight_spans, slide, width
from pyd_tui.dashboard.theme.themes import palette_of
from pyd_tui.dashboard.widgets.rows import SIDE_STEP_COLUMNS, Rows
from pyd_tui.dashboard.widgets.strips import strip, thumb
from pyd_tui.dashboard.widgets.wrap import wrap_spans

if TYPE_CHECKING:
    from textual.strip import Strip

FRAME_INTERVAL_S = 0.1
"""Seconds between two paints of an endless log: more is unreadable, and every paint costs bytes."""

GUTTER_COLUMNS = 2
"""Terminal columns before a line, for marks."""

INDENT = 4
"""Terminal columns by which continuation rows of a wrapped line are indented."""


class LogView(Rows):
    """Shows the lines that a logbook's filters let through.

    Lines are identified by number, so that nothing on screen moves when lines arrive, are dropped, or are filtered.

    Args:
        book: The logbook.
        clock: The clock.
        on_changed: Called when the cursor moves, or following starts or stops.
    """

    BINDINGS = bindings("move")

    def __init__(self, book: Logbook, clock: Clock, on_changed: Callable[[], None], *, id: str) -> None:
        super().__init__(id=id)
        self.book = book
        self._clock = clock
        self._on_changed = on_changed
        self.log_style = LogStyle()
        self.following = True
        self.wrap = False
        self.left = 0
        self.marked: set[int] = set()
        self.selection_start: int | None = None
        """The line where the selection starts."""
        self._cursor = 0
        self._top_line = 0
        self._search_start: int | None = None
        """The line from which the first match is shown as soon as it is found."""
        self._state: tuple[object, ...] = ()
        self._drawn_rows: list[tuple[int, Cell]] | None = None

    @property
    def count(self) -> int:
        """Number of lines that pass the filters."""
        return len(self.book.shown)

    @property
    def cursor(self) -> int | None:
        """The number of the line under the cursor, which is the last one while following; None without lines."""
        if not self.count:
            return None
        index = self.count - 1 if self.following else min(self.book.shown.index_of(self._cursor), self.count - 1)
        return self.book.shown.number(index)

    @property
    def selected(self) -> list[int]:
        """The numbers of the lines to copy: the selection, else the marked lines, else the line under the cursor."""
        cursor, shown = self.cursor, self.book.shown
        if cursor is None:
            return []
        if self.selection_start is not None:
            low, high = sorted((self.selection_start, cursor))
            return [
                shown.number(index) for index in range(shown.index_of(low), min(self.count, shown.index_of(high) + 1))
            ]
        return sorted(self.marked) or [cursor]

    @property
    def highest_top(self) -> int:
        """The first line on the screen when the last one is at the bottom."""
        if not self.wrap:
            return super().highest_top
        return self._top_above(self.count - 1) if self.count else 0

    def sync(self) -> None:
        """Update from the logbook."""
        shown = self.book.shown
        store = shown.store
        self.marked = {number for number in self.marked if number >= store.first}
        wanted_top = self.highest_top if self.following else shown.index_of(self._top_line)
        self.top = min(wanted_top, self.highest_top)
        if self.top < wanted_top and shown.complete:  # too few lines below: the current top line stays
            self._top_line = shown.number(self.top)
        state = (shown, len(shown), store.first, self.top, self.book.search, len(self.book.search or ()))
        if state != self._state:
            self._state = state
            self.redraw()
        if self._search_start is not None:
            self.jump()

    def restart(self) -> None:
        """Reset the position: the logbook starts again."""
        self.marked.clear()
        self.selection_start = None
        self.left = 0
        self.following = self.book.window.follows
        self._cursor = self._top_line = -(2**62)
        self._search_start = None
        self.sync()

    def redraw(self) -> None:
        """Repaint everything."""
        self._drawn_rows = None
        self.refresh()

    def move(self, rows: int) -> None:
        """Move the cursor; reaching the end resumes following, leaving it stops."""
        shown = self.book.shown
        if not self.count:
            return
        index = shown.index_of(self.cursor or 0)
        target = min(max(0, index + rows), self.count - 1)
        if target == 0 and rows < 0:
            self.book.page_back()
        self.following = rows > 0 and index + rows >= self.count - 1 and self.book.window.follows
        self.go(shown.number(target), hold=not self.following)

    def go(self, number: int, *, hold: bool = True, middle: bool = False) -> None:
        """Move the cursor to a line and show it."""
        shown = self.book.shown
        if hold:
            self.following = False
        self._cursor = number
        index = shown.index_of(number)
        if self.following:
            self.top = self.highest_top
        elif index < self.top or (middle and not self._visible(index)):
            self.top = max(0, min(index - (self.page // 3 if middle else 0), self.highest_top))
        elif not self._visible(index):
            self.top = self._top_above(index)
        self._top_line = shown.number(self.top) if self.count else 0
        self.redraw()
        self._on_changed()

    def follow(self) -> None:
        """Follow new lines, or stop following."""
        if self.following or not self.book.window.follows:
            if (cursor := self.cursor) is not None:
                self.go(cursor)
        elif self.count:
            self.following = True
            self.go(self.book.shown.number(self.count - 1), hold=False)

    def seek(self, pattern: LogPattern) -> None:
        """Highlight all matches, and go to the first one from where the search began.

        Raises:
            InvalidInput: The pattern is no regular expression.
        """
        self.book.find(pattern)
        if not pattern.text:
            self._search_start = None
        elif self._search_start is None:
            cursor = self.cursor
            self._search_start = cursor if cursor is not None and not self.following else self.book.store.end
        self.redraw()
        self.sync()
        self._on_changed()

    def jump(self) -> None:
        """Show the first match from where the search began; the nearest one above the end for a view that follows.

        While the user types, and until all lines have been searched, a better match may appear.
        """
        search, start = self.book.search, self._search_start
        if search is None or start is None:
            return
        if search.complete and self.screen.focused is self:
            self._search_start = None
        match = search.before(start) if start >= self.book.store.end else search.after(start - 1)
        if match is not None:
            self.go(match, middle=True)

    def find_next(self, step: int) -> None:
        """Go to the next or previous match."""
        search, cursor = self.book.search, self.cursor
        if search is None or cursor is None:
            return
        self._search_start = None
        match = search.after(cursor) if step > 0 else search.before(cursor)
        if match is not None:
            self.go(match, middle=True)

    def show_times(self) -> None:
        """Show or hides the times."""
        self.log_style = replace(self.log_style, times=not self.log_style.times)
        self.redraw()

    def slide(self, columns: int) -> None:
        """Scroll sideways in long lines."""
        self.left = 0 if self.wrap else max(0, self.left + columns * SIDE_STEP_COLUMNS)
        self.redraw()

    def set_wrap(self, *, wrap: bool) -> None:
        """Wrap long lines, or cut them."""
        self.wrap, self.left = wrap, 0
        self.top = self.highest_top if self.following else self.top
        self.redraw()

    def on_resize(self) -> None:
        """Keep the end in view when following."""
        self.top = self.highest_top if self.following else min(self.top, self.highest_top)
        self.redraw()

    @property
    def status(self) -> Cell:
        """Number of lines and of dropped ones, the search, and whether it follows."""
        book = self.book
        pieces: list[Span] = []
        if (search := book.search) is not None:
            incomplete = "" if search.complete else "+"
            pieces += cell(f"/{search.pattern.text}", "warn")
            mode = f" ({pattern_mode(search.pattern)})" if search.pattern.regex or search.pattern.case_sensitive else ""
            position = search.position(self.cursor) or "-"
            pieces.append(Span(f"{mode} {position} of {len(search):,}{incomplete}  ", "dim"))
        total = len(book.store)
        lines = counted(total, "line")
        pieces.append(Span(f"{self.count:,} of {lines}" if book.shown.filters else lines, "dim"))
        if book.store.lost:
            pieces.append(Span(f", {book.store.lost:,} skipped", "warn"))
        if self.marked:
            pieces.append(Span(f", {len(self.marked)} marked", "accent"))
        if book.problem is not None:
            return (*pieces, *cell(f"  {book.problem.message}", "bad"))
        if not book.window.follows:
            return (*pieces, Span("  not live", "warn"))
        return (*pieces, Span("  following", "good") if self.following else Span("  paused", "warn"))

    def draw(self, item: LogItem) -> Cell:
        """Return a drawn line."""
        return log_row(item, self._clock, self.log_style)

    def _visible(self, index: int) -> bool:
        if not self.wrap:
            return self.top <= index < self.top + self.page
        return self.top <= index and index >= self._top_above(index) and self._top_above(index) <= self.top

    def _top_above(self, index: int) -> int:
        """Return the highest top line with which the line at `index` is fully visible."""
        if not self.wrap:
            return max(0, index - self.page + 1)
        room = self.page
        while index >= 0:
            room -= len(self._rows(self.book.shown.number(index)))
            if room < 0:
                break
            index -= 1
        return max(0, index + 1)

    def _rows(self, number: int) -> list[Cell]:
        line = self.draw(self.book.store[number])
        room = self.size.width - GUTTER_COLUMNS - 1
        if not self.wrap or room < 8 or width(line) <= room:
            return [line]
        return wrap_spans(line, room, max_rows=max(1, self.page - 1), indent=INDENT)

    def _layout(self) -> list[tuple[int, Cell]]:
        if self._drawn_rows is None:
            rows: list[tuple[int, Cell]] = []
            index = self.top
            while len(rows) < self.page and index < self.count:
                number = self.book.shown.number(index)
                rows += [(number, row) for row in self._rows(number)]
                index += 1
            self._drawn_rows = rows[: self.page]
        return self._drawn_rows

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        palette, columns = palette_of(self.app), self.size.width
        rows = self._layout()
        if y >= len(rows):
            message = (Span("  "), Span(self.book.empty_text, "dim")) if y == 1 and not self.count else ()
            return strip(fit(message, columns), palette)
        number, line = rows[y]
        if self.book.search is not None:
            line = highlight_spans(line, self.book.search.pattern.spans)
        elif highlighting := [
            filter_ for filter_ in self.book.shown.filters.stack if not filter_.exclude and not filter_.tests
        ]:
            line = highlight_spans(line, highlighting[-1].pattern.spans)
        if self.book.shown.is_context(number):
            line = tuple(Span(span.text, "dim") for span in line)
        line = slide(line, self.left) if self.left else line
        cursor = self.cursor
        selected = (
            self.selection_start is not None and cursor is not None and _between(number, self.selection_start, cursor)
        )
        ground = palette.cursor if selected or (number == cursor and not self.following) else None
        sign = self._sign(number, selected=selected, current=ground is not None)
        row = (sign, *fit(line, columns - GUTTER_COLUMNS), thumb(y, self.page, self.top, self.count))
        return strip(row, palette, ground)

    def _sign(self, number: int, *, selected: bool, current: bool) -> Span:
        if number in self.marked:
            return Span("◆", "accent")
        return Span("▌" if selected else "▸" if current else " ", "accent")


def _between(number: int, first: int, second: int) -> bool:
    return min(first, second) <= number <= max(first, second)
