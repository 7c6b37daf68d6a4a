"""The lines of a log screen: a cursor, matches, marks and a selection over lines that go on arriving."""

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
from pyd_tui.dashboard.widgets.rows import SIDE_STEP, Rows
from pyd_tui.dashboard.widgets.strips import strip, thumb
from pyd_tui.dashboard.widgets.wrap import wrapped

if TYPE_CHECKING:
    from textual.strip import Strip

FRAME = 0.1
"""Seconds between two paints of a log that never stops: faster than that nobody reads, and every paint costs bytes."""

GUTTER = 2
"""Terminal columns before a line, for marks."""

INDENT = 4
"""Terminal columns by which the rows of a wrapped line are set in."""


class LogView(Rows):
    """Shows what a logbook lets through.

    Lines are known by their numbers, so that nothing on screen moves when lines come, go, or are filtered.

    Args:
        book: What to show.
        clock: Writes the times.
        told: Called when the cursor moved, or following began or ended.
    """

    BINDINGS = bindings("move")

    def __init__(self, book: Logbook, clock: Clock, told: Callable[[], None], *, id: str) -> None:
        super().__init__(id=id)
        self.book = book
        self._clock = clock
        self._told = told
        self.look = LogStyle()
        self.following = True
        self.wrap = False
        self.left = 0
        self.marked: set[int] = set()
        self.visual: int | None = None
        """Where the selection began."""
        self._cursor = 0
        self._anchor = 0
        self._seek: int | None = None
        """The line from which on the first match is to be shown, as soon as it is found."""
        self._state: tuple[object, ...] = ()
        self._laid: list[tuple[int, Cell]] | None = None

    @property
    def count(self) -> int:
        """How many lines are shown, on this screen or not."""
        return len(self.book.shown)

    @property
    def cursor(self) -> int | None:
        """The number of the line under the cursor, which follows the last one; None without lines."""
        if not self.count:
            return None
        place = self.count - 1 if self.following else min(self.book.shown.place(self._cursor), self.count - 1)
        return self.book.shown.number(place)

    @property
    def selected(self) -> list[int]:
        """The numbers of the lines to copy: what is selected, else what is marked, else the line under the cursor."""
        cursor, shown = self.cursor, self.book.shown
        if cursor is None:
            return []
        if self.visual is not None:
            low, high = sorted((self.visual, cursor))
            return [shown.number(at) for at in range(shown.place(low), min(self.count, shown.place(high) + 1))]
        return sorted(self.marked) or [cursor]

    @property
    def highest_top(self) -> int:
        """The first line on the screen when the last one is at its end."""
        if not self.wrap:
            return super().highest_top
        return self._top_above(self.count - 1) if self.count else 0

    def sync(self) -> None:
        """Look again at the book."""
        shown = self.book.shown
        store = shown.store
        self.marked = {number for number in self.marked if number >= store.first}
        wanted = self.highest_top if self.following else shown.place(self._anchor)
        self.top = min(wanted, self.highest_top)
        if self.top < wanted and shown.complete:  # there is too little below: what stands at the top now stays there
            self._anchor = shown.number(self.top)
        state = (shown, len(shown), store.first, self.top, self.book.search, len(self.book.search or ()))
        if state != self._state:
            self._state = state
            self.redraw()
        if self._seek is not None:
            self.jump()

    def restart(self) -> None:
        """Forget where it was: the book begins anew."""
        self.marked.clear()
        self.visual = None
        self.left = 0
        self.following = self.book.window.follows
        self._cursor = self._anchor = -(2**62)
        self._seek = None
        self.sync()

    def redraw(self) -> None:
        """Have all of it painted again."""
        self._laid = None
        self.refresh()

    def move(self, rows: int) -> None:
        """Move the cursor; at the end it follows again, leaving the end holds still."""
        shown = self.book.shown
        if not self.count:
            return
        here = shown.place(self.cursor or 0)
        there = min(max(0, here + rows), self.count - 1)
        if there == 0 and rows < 0:
            self.book.page_back()
        self.following = rows > 0 and here + rows >= self.count - 1 and self.book.window.follows
        self.go(shown.number(there), hold=not self.following)

    def go(self, number: int, *, hold: bool = True, middle: bool = False) -> None:
        """Put the cursor on a line and show it."""
        shown = self.book.shown
        if hold:
            self.following = False
        self._cursor = number
        place = shown.place(number)
        if self.following:
            self.top = self.highest_top
        elif place < self.top or (middle and not self._visible(place)):
            self.top = max(0, min(place - (self.page // 3 if middle else 0), self.highest_top))
        elif not self._visible(place):
            self.top = self._top_above(place)
        self._anchor = shown.number(self.top) if self.count else 0
        self.redraw()
        self._told()

    def follow(self) -> None:
        """Follow what comes, or hold still."""
        if self.following or not self.book.window.follows:
            if (cursor := self.cursor) is not None:
                self.go(cursor)
        elif self.count:
            self.following = True
            self.go(self.book.shown.number(self.count - 1), hold=False)

    def seek(self, pattern: LogPattern) -> None:
        """Mark every match in what is shown, and go to the first one from where that began.

        Raises:
            InvalidInput: It is no regular expression.
        """
        self.book.find(pattern)
        if not pattern.text:
            self._seek = None
        elif self._seek is None:
            cursor = self.cursor
            self._seek = cursor if cursor is not None and not self.following else self.book.store.end
        self.redraw()
        self.sync()
        self._told()

    def jump(self) -> None:
        """Show the first match from where the search began; a line above the end for a view that follows.

        As long as something is typed, and as long as not all lines were looked at, a better one may come.
        """
        search, start = self.book.search, self._seek
        if search is None or start is None:
            return
        if search.complete and self.screen.focused is self:
            self._seek = None
        at = search.before(start) if start >= self.book.store.end else search.after(start - 1)
        if at is not None:
            self.go(at, middle=True)

    def find_next(self, step: int) -> None:
        """Go to the next match, or the one before."""
        search, cursor = self.book.search, self.cursor
        if search is None or cursor is None:
            return
        self._seek = None
        at = search.after(cursor) if step > 0 else search.before(cursor)
        if at is not None:
            self.go(at, middle=True)

    def show_times(self) -> None:
        """Show or hides the times."""
        self.look = replace(self.look, times=not self.look.times)
        self.redraw()

    def slide(self, columns: int) -> None:
        """Go sideways in long lines."""
        self.left = 0 if self.wrap else max(0, self.left + columns * SIDE_STEP)
        self.redraw()

    def set_wrap(self, *, wrap: bool) -> None:
        """Wrap long lines, or cut them."""
        self.wrap, self.left = wrap, 0
        self.top = self.highest_top if self.following else self.top
        self.redraw()

    def on_resize(self) -> None:
        """Keep the end in sight when it follows."""
        self.top = self.highest_top if self.following else min(self.top, self.highest_top)
        self.redraw()

    @property
    def status(self) -> Cell:
        """Say how much there is, what had to go, what is looked for, and whether it follows."""
        book = self.book
        pieces: list[Span] = []
        if (search := book.search) is not None:
            more = "" if search.complete else "+"
            pieces += cell(f"/{search.pattern.text}", "warn")
            how = f" ({pattern_mode(search.pattern)})" if search.pattern.regex or search.pattern.case else ""
            at = search.position(self.cursor) or "-"
            pieces.append(Span(f"{how} {at} of {len(search):,}{more}  ", "dim"))
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
        return (*pieces, Span("  following", "good") if self.following else Span("  holding still", "warn"))

    def drawn(self, item: LogItem) -> Cell:
        """Draw a line."""
        return log_row(item, self._clock, self.look)

    def _visible(self, place: int) -> bool:
        if not self.wrap:
            return self.top <= place < self.top + self.page
        return self.top <= place and place >= self._top_above(place) and self._top_above(place) <= self.top

    def _top_above(self, place: int) -> int:
        """The highest line to begin with, so that the one at `place` is wholly on the screen."""
        if not self.wrap:
            return max(0, place - self.page + 1)
        left = self.page
        while place >= 0:
            left -= len(self._rows(self.book.shown.number(place)))
            if left < 0:
                break
            place -= 1
        return max(0, place + 1)

    def _rows(self, number: int) -> list[Cell]:
        pieces = self.drawn(self.book.store[number])
        room = self.size.width - GUTTER - 1
        if not self.wrap or room < 8 or width(pieces) <= room:
            return [pieces]
        return wrapped(pieces, room, most=max(1, self.page - 1), indent=INDENT)

    def _layout(self) -> list[tuple[int, Cell]]:
        if self._laid is None:
            laid: list[tuple[int, Cell]] = []
            place = self.top
            while len(laid) < self.page and place < self.count:
                number = self.book.shown.number(place)
                laid += [(number, row) for row in self._rows(number)]
                place += 1
            self._laid = laid[: self.page]
        return self._laid

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        palette, columns = palette_of(self.app), self.size.width
        laid = self._layout()
        if y >= len(laid):
            said = (Span("  "), Span(self.book.silence, "dim")) if y == 1 and not self.count else ()
            return strip(fit(said, columns), palette)
        number, pieces = laid[y]
        if self.book.search is not None:
            pieces = highlight_spans(pieces, self.book.search.pattern.spans)
        elif keep := [one for one in self.book.shown.filters.stack if not one.exclude and not one.tests]:
            pieces = highlight_spans(pieces, keep[-1].pattern.spans)
        if self.book.shown.is_context(number):
            pieces = tuple(Span(piece.text, "dim") for piece in pieces)
        pieces = slide(pieces, self.left) if self.left else pieces
        cursor = self.cursor
        chosen = self.visual is not None and cursor is not None and _between(number, self.visual, cursor)
        ground = palette.cursor if chosen or (number == cursor and not self.following) else None
        sign = self._sign(number, chosen=chosen, here=ground is not None)
        row = (sign, *fit(pieces, columns - GUTTER), thumb(y, self.page, self.top, self.count))
        return strip(row, palette, ground)

    def _sign(self, number: int, *, chosen: bool, here: bool) -> Span:
        if number in self.marked:
            return Span("◆", "accent")
        return Span("▌" if chosen else "▸" if here else " ", "accent")


def _between(number: int, one: int, other: int) -> bool:
    return min(one, other) <= number <= max(one, other)
