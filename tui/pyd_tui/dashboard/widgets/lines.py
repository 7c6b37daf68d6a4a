"""A virtual view of many lines of text that follows, searches and scrolls both ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from textual.message import Message

from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell, fit, highlight, slide
from pyd_tui.dashboard.theme.themes import palette_of
from pyd_tui.dashboard.widgets.rows import Rows
from pyd_tui.dashboard.widgets.strips import strip, thumb

if TYPE_CHECKING:
    from textual.strip import Strip

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Items(Protocol[T_co]):
    """A view's items: a `Ring`, or a list wrapped as one; `dropped` counts items dropped from the start."""

    dropped: int

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> T_co: ...


class Fixed(Generic[T]):
    """A list that never changes."""

    def __init__(self, items: Sequence[T] = ()) -> None:
        self._items = items
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int, /) -> T:
        return self._items[index]


class LineList(Rows, Generic[T]):
    """Shows items, one per line.

    Args:
        draw: Returns an item's drawn line.
        following: Whether it starts at the end and stays there.
        empty: Text shown when there are no items.
        id: The widget's name.
    """

    BINDINGS = bindings("move", "text")

    class Changed(Message):
        """Following or the search has changed."""

    def __init__(
        self, draw: Callable[[T], Cell], *, following: bool = False, empty: str = "", id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self._draw = draw
        self._items: Items[T] = Fixed()
        self._dropped = 0
        self._shown = 0
        self.following = following
        self.empty = empty
        self.ask: Callable[[], None] = lambda: None
        """Let the user type a search. A call rather than a message, since the next key is already text."""
        self.query_text = ""
        self.match_line: int | None = None
        self.times = True
        self.stale = False

    @property
    def items(self) -> Items[T]:
        """The items."""
        return self._items

    @property
    def count(self) -> int:
        """Number of lines."""
        return len(self._items)

    def show(self, items: Items[T]) -> None:
        """Show other items from their start, or from their end when following."""
        self._items = items
        self._dropped = items.dropped
        self.left = 0
        self.match_line = None
        self.top = self.highest_top if self.following else 0
        self._shown = self.count
        self.refresh()

    def replace(self, items: Items[T]) -> None:
        """Show another version of the same lines; only lines on screen that differ are repainted."""
        before, self._items = self._items, items
        self._shown = self.count
        top = self.highest_top if self.following else min(self.top, self.highest_top)
        if top != self.top or len(before) != self.count:  # the scroll bar differs too
            self.top = top
            self.refresh()
            return
        for y in range(self.page):
            index = self.top + y
            old = self._draw(before[index]) if index < len(before) else None
            if old != (self._draw(items[index]) if index < len(items) else None):
                self.repaint(y)

    def set_stale(self, *, stale: bool) -> None:
        """Set whether everything is dimmed, since the data may be out of date."""
        if stale != self.stale:
            self.stale = stale
            self.refresh()

    def sync(self) -> None:
        """Update after items were added at the end or dropped from the start."""
        before, self._shown = self._shown, self.count
        lost = self._items.dropped - self._dropped
        self._dropped = self._items.dropped
        if self.match_line is not None and lost:
            self.match_line = max(0, self.match_line - lost)
        top = self.highest_top if self.following else min(max(0, self.top - lost), self.highest_top)
        if top != self.top - lost or top + self.page > before - lost or not before:
            if top == self.top == 0 and not lost and before:  # not full yet: only the new lines need painting
                for y in range(before, min(self._shown, self.page)):
                    self.repaint(y)
                return
            self.top = top
            self.refresh()
            return
        self.top = top

    def move(self, rows: int) -> None:
        """Scroll; reaching the end resumes following, leaving it stops."""
        self.scroll_rows(self.top + rows)
        self._set_following(following=rows > 0 and self.top == self.highest_top and self.can_follow)

    can_follow = False
    """Whether there is a live end to follow."""

    def _set_following(self, *, following: bool) -> None:
        if following != self.following:
            self.following = following
            self.post_message(self.Changed())

    def action_follow(self) -> None:
        """Follow new lines, or stop following."""
        if self.can_follow:
            self._set_following(following=not self.following)
            if self.following:
                self.scroll_rows(self.highest_top)

    def action_times(self) -> None:
        """Show or hide the times."""
        self.times = not self.times
        self.refresh()

    def action_find(self) -> None:
        """Ask for a search."""
        self.ask()

    def find(self, text: str) -> None:
        """Highlight every occurrence of `text`, and go to the first one from the top line on."""
        self.query_text = text
        self.match_line = None
        self.refresh()
        if text:
            self._go_to_match(range(self.top, self.count), range(self.top))
        self.post_message(self.Changed())

    def action_find_next(self) -> None:
        """Go to the next match, wrapping at the end."""
        start = self.top if self.match_line is None else self.match_line + 1
        self._go_to_match(range(start, self.count), range(min(start, self.count)))

    def action_find_previous(self) -> None:
        """Go to the previous match."""
        start = self.top if self.match_line is None else self.match_line
        self._go_to_match(range(start - 1, -1, -1), range(self.count - 1, start - 1, -1))

    def _go_to_match(self, *ranges: range) -> None:
        if not self.query_text:
            return
        index = next((index for part in ranges for index in part if self._matches(index)), None)
        self.match_line = index
        if index is not None:
            self._set_following(following=False)
            if not self.top <= index < self.top + self.page:
                self.scroll_rows(index - self.page // 3)
            self.refresh()
        self.post_message(self.Changed())

    def _matches(self, index: int) -> bool:
        return self.query_text.casefold() in "".join(piece.text for piece in self._draw(self._items[index])).casefold()

    def matches(self) -> tuple[int, int]:
        """Return the position among the matches, from 1 (0: on none), and the number of matching lines."""
        if not self.query_text:
            return 0, 0
        matches = [index for index in range(self.count) if self._matches(index)]
        return (matches.index(self.match_line) + 1 if self.match_line in matches else 0), len(matches)

    @property
    def search_status(self) -> Cell:
        """The search, and the position among its matches; empty without a search."""
        if not self.query_text:
            return EMPTY
        position, total = self.matches()
        return (*cell(f"/{self.query_text}", "warn"), Span(f" {position} of {total}", "dim"))

    def on_resize(self) -> None:
        """Keep the end in view when following."""
        self.top = self.highest_top if self.following else min(self.top, self.highest_top)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        palette = palette_of(self.app)
        width = self.size.width
        index = self.top + y
        if index >= self.count:
            text = (Span("  "), Span(self.empty, "dim")) if y == 1 and not self.count and self.empty else EMPTY
            return strip(fit(text, width), palette)
        text = highlight(self._draw(self._items[index]), self.query_text)
        if self.left:
            text = slide(text, self.left)
        ground = palette.cursor_blur if index == self.match_line else None
        line = (Span(" "), *fit(text, width - 2), thumb(y, self.page, self.top, self.count))
        return strip(line, palette, ground, stale=self.stale)
