"""The lines of a log: cursor, matches, marks and a selection, while new lines arrive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pyd_core.client.gap import Gap
from pyd_core.logs.pattern import LogPattern
from pyd_core.logs.store import LogItem
from pyd_tui.dashboard.input.key_bindings import keys_of
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.logs.logbook import Logbook
from pyd_tui.dashboard.logs.window import MAX_UNSEEN_LINES, TAIL, WINDOWS
from pyd_tui.dashboard.panels.log_mouse import LogMouse
from pyd_tui.dashboard.panels.log_status import chosen_lines, empty_line, log_status
from pyd_tui.dashboard.render.figures import Clock
from pyd_tui.dashboard.render.log_days import LogDays
from pyd_tui.dashboard.render.log_rows import DrawnRow
from pyd_tui.dashboard.render.logrow import LogStyle, log_row, log_row_parts, observe_columns
from pyd_tui.dashboard.render.pieces import Cell, Span, fit, highlight_spans, slide, width
from pyd_tui.dashboard.theme.themes import palette_of
from pyd_tui.dashboard.widgets.rows import SIDE_STEP_COLUMNS
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

LATEST = 2**62
"""A number above that of any line: the end of a log that grows."""
MAX_LOOK_BACK_ITEMS = 4
"""Items that are asked for the time of the line before one."""


class LogView(LogMouse):
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
        self._drawn_rows: list[DrawnRow] | None = None
        self._days = LogDays(clock)
        self._reads = book.reads

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

    def select(self) -> None:
        """Start a selection at the cursor, or end it."""
        cursor = self.cursor
        self.selection_start = cursor if self.selection_start is None else None
        if cursor is not None:
            self.go(cursor)

    @property
    def highest_top(self) -> int:
        """The first line on the screen when the last one is at the bottom."""
        return self._top_above(self.count - 1) if self.count else 0

    def sync(self) -> None:
        """Update from the logbook."""
        if self.book.reads != self._reads:
            self._reads = self.book.reads
            self.restart()
            return
        shown = self.book.shown
        store = shown.store
        self.marked = {number for number in self.marked if number >= store.first}
        wanted_top = self.highest_top if self.following else shown.index_of(self._top_line)
        self.top = min(wanted_top, self.highest_top)
        if self.top < wanted_top and shown.complete:  # too few lines below: the current top line stays
            self._top_line = shown.number(self.top)
        sizes = (len(self.book.search or ()), len(self.book.map_errors()))
        state = (shown, len(shown), store.first, self.top, self.book.search, *sizes, self.status)
        if state != self._state:
            self._state = state
            self.redraw()
        if (number := self.book.goal_number()) is not None:
            self.book.goal = None
            self.go(number, middle=True)
        if self._search_start is not None:
            self.jump()

    def restart(self) -> None:
        """Reset the position: the logbook starts again."""
        self.marked.clear()
        self.selection_start = None
        self.left = 0
        self._reads = self.book.reads
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
        if rows < 0 and target < self.page:
            self.book.page_back()
        if rows > 0 and self.count - target < MAX_UNSEEN_LINES:
            self.book.page_forward()
        self.following = rows > 0 and index + rows >= self.count - 1 and self._at_live_end
        self.go(shown.number(target), hold=not self.following)

    @property
    def _at_live_end(self) -> bool:
        """Whether the newest loaded line is the newest of the log."""
        book = self.book
        arriving = book.window.is_ahead and not book.caught_up
        return not (arriving or book.more_below or book.window.before_ns) and book.goal is None

    def action_first(self) -> None:
        """Go to the log's first line, which is read if necessary."""
        book = self.book
        if book.can_read_back and (book.window is TAIL or book.window.around_ns):
            book.reopen(WINDOWS["1"])
        else:
            super().action_first()

    def action_last(self) -> None:
        """Go to the log's last line, which is read if necessary, and follow."""
        if self._at_live_end and not self.book.window.is_ahead:  # such a window may only seem to have all lines
            super().action_last()
        else:
            self.book.reopen(TAIL)

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
        if self.following:
            if (cursor := self.cursor) is not None:
                self.go(cursor)
        elif not self._at_live_end:
            self.book.reopen(TAIL)
        elif self.count:
            self.following = True
            self.go(self.book.shown.number(self.count - 1), hold=False)

    def seek(self, pattern: LogPattern) -> None:
        """Highlight all matches, and go to the first one from where the search began.

        Raises:
            InvalidInput: The pattern is no regular expression.
        """
        self.book.find(pattern)
        self.book.note = ""
        if not pattern.text:
            self._search_start = None
        elif self._search_start is None:
            cursor = self.cursor
            self._search_start = cursor if cursor is not None and not self.following else LATEST
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
        match = search.before(start) if start == LATEST else search.after(start - 1)
        if match is not None:
            self.go(match, middle=True)

    def find_next(self, step: int) -> None:
        """Go to the next or previous match."""
        search, cursor = self.book.search, self.cursor
        if search is None or cursor is None:
            return
        self._search_start = None
        match = search.after(cursor) if step > 0 else search.before(cursor)
        wraps = match is None or (match <= cursor if step > 0 else match >= cursor)
        if wraps and search.complete and not self.book.note and self.book.seek_beyond(step):
            return
        self.book.note = ""
        if match is not None:
            self.go(match, middle=True)

    def seek_older(self) -> bool:
        """Search the older lines if no loaded line matches, and return whether it does."""
        search = self.book.search
        nothing = search is not None and search.complete and not len(search)
        return nothing and self.book.seek_beyond(-1 if self.book.can_seek(-1) else 1)

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
        return log_status(
            self.book,
            self.cursor,
            self._days,
            following=self.following,
            chosen=chosen_lines(self.selected if self.selection_start is not None else (), self.marked),
            shown=self.count,
        )

    def draw(self, item: LogItem) -> Cell:
        """Return a drawn line."""
        return log_row(item, self._clock, self.log_style)

    def _visible(self, index: int) -> bool:
        return self.top <= index and self._top_above(index) <= self.top

    def _top_above(self, index: int) -> int:
        """Return the highest top line with which the line at `index` is fully visible."""
        last, room = index, self.page
        while index >= 0:
            room -= (len(self._rows(index)) if self.wrap else 1) + self._starts_day(index)
            if room < 0:
                break
            index -= 1
        return min(last, max(0, index + 1))

    def _starts_day(self, index: int) -> bool:
        """Return whether there is a rule above a line."""
        shown = self.book.shown
        time_ns = _time_ns(shown.store[shown.number(index)])
        if not time_ns:
            return False
        earlier = range(index - 1, max(-1, index - 1 - MAX_LOOK_BACK_ITEMS), -1)
        previous_ns = next((time for i in earlier if (time := _time_ns(shown.store[shown.number(i)]))), 0)
        return (bool(previous_ns) or index == 0) and self._days.is_first(time_ns, previous_ns)

    def _rows(self, index: int) -> list[DrawnRow]:
        number = self.book.shown.number(index)
        head, body = log_row_parts(self.book.store[number], self._clock, self.log_style)
        room = self.size.width - GUTTER_COLUMNS - 1
        if not self.wrap or room < 8 or width((*head, *body)) <= room:
            return [DrawnRow(number, head, body)]
        rows = wrap_spans((*head, *body), room, max_rows=max(1, self.page - 1), indent=INDENT)
        return [DrawnRow(number, (), row) for row in rows]

    def drawn_rows(self) -> Sequence[DrawnRow]:
        """Return the rows on the screen."""
        if self._drawn_rows is None:
            shown = self.book.shown
            indexes = range(self.top, min(self.count, self.top + self.page))
            observe_columns((shown.store[shown.number(index)] for index in indexes), self.log_style)
            rows: list[DrawnRow] = []
            for index in indexes:
                if len(rows) >= self.page:
                    break
                if self._starts_day(index):
                    number = shown.number(index)
                    rows.append(DrawnRow(number, self._days.rule(_time_ns(shown.store[number])), (), is_rule=True))
                rows += self._rows(index)
            self._drawn_rows = rows[: self.page]
        return self._drawn_rows

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        palette, columns = palette_of(self.app), self.size.width
        rows = self.drawn_rows()
        if y >= len(rows):
            return strip(
                fit(empty_line(self.book, keys_of(self.app)) if y == 1 and not self.count else (), columns), palette
            )
        number, head, body, is_rule = rows[y]
        edge = self._scroll_mark(y)
        if is_rule:
            return strip((*fit((Span(" " * GUTTER_COLUMNS), *head), columns - 1), edge), palette)
        line = (*head, *(slide(body, self.left) if self.left else body))
        if self.book.search is not None:
            line = highlight_spans(line, self.book.search.pattern.spans)
        elif highlighting := [
            filter_ for filter_ in self.book.shown.filters.stack if not filter_.exclude and not filter_.tests
        ]:
            line = highlight_spans(line, highlighting[-1].pattern.spans)
        if self.book.shown.is_context(number):
            line = tuple(Span(span.text, "dim") for span in line)
        cursor = self.cursor
        selected = (
            self.selection_start is not None and cursor is not None and _between(number, self.selection_start, cursor)
        )
        ground = palette.cursor if selected or (number == cursor and not self.following) else None
        sign = self._sign(number, selected=selected, current=ground is not None)
        return strip((sign, *fit(line, columns - GUTTER_COLUMNS), edge), palette, ground)

    def _scroll_mark(self, y: int) -> Span:
        """Return the scroll bar of a row, red where the log has errors."""
        count, page = self.count, self.page
        mark = thumb(y, page, self.top, count)
        errors = self.book.errors
        if count <= page or errors is None or not len(errors):
            return mark
        number = self.book.shown.number
        first = y * count // page
        last = min(count - 1, max(first, (y + 1) * count // page - 1))
        if not errors.any_between(number(first), number(last)):
            return mark
        return Span(mark.text if mark.text.strip() else "╎", "bad")

    def _sign(self, number: int, *, selected: bool, current: bool) -> Span:
        if number in self.marked:
            return Span("◆", "accent")
        return Span("▌" if selected else "▸" if current else " ", "accent")


def _between(number: int, first: int, second: int) -> bool:
    return min(first, second) <= number <= max(first, second)


def _time_ns(item: LogItem) -> int:
    return 0 if isinstance(item, Gap) else item.time_ns
