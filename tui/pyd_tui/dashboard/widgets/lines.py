"""A virtual view of many lines of text: following, finding, scrolling both ways."""

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
    """What a view shows: a `Ring`, or any list wrapped as one; `dropped` counts what its beginning lost."""

    dropped: int

    def __len__(self) -> int: ...
    def __getitem__(self, at: int, /) -> T_co: ...


class Fixed(Generic[T]):
    """A list that never changes."""

    def __init__(self, items: Sequence[T] = ()) -> None:
        self._items = items
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, at: int, /) -> T:
        return self._items[at]


class LineList(Rows, Generic[T]):
    """Shows items, one a line.

    Args:
        draw: Returns the pieces of an item.
        following: Whether it begins at the end and stays there.
        empty: What it says when there is nothing.
        id: The widget's name.
    """

    BINDINGS = bindings("move", "text")

    class Changed(Message):
        """Whether it follows, or what it looks for, is another than before."""

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
        """Lets the user type what to look for. Called, not told by a message: the next key is text already."""
        self.query_text = ""
        self.match_line: int | None = None
        self.times = True
        self.stale = False

    @property
    def items(self) -> Items[T]:
        """What it shows."""
        return self._items

    @property
    def count(self) -> int:
        """How many lines there are."""
        return len(self._items)

    def show(self, items: Items[T]) -> None:
        """Show other items from their beginning, or from their end when it follows."""
        self._items = items
        self._dropped = items.dropped
        self.left = 0
        self.match_line = None
        self.top = self.highest_top if self.following else 0
        self._shown = self.count
        self.refresh()

    def replace(self, items: Items[T]) -> None:
        """Show another version of the same lines: only those on screen that differ are painted again."""
        before, self._items = self._items, items
        self._shown = self.count
        top = self.highest_top if self.following else min(self.top, self.highest_top)
        if top != self.top:
            self.top = top
            self.refresh()
            return
        for y in range(self.page):
            at = self.top + y
            old = self._draw(before[at]) if at < len(before) else None
            if old != (self._draw(items[at]) if at < len(items) else None):
                self.repaint(y)

    def set_stale(self, *, stale: bool) -> None:
        """Dim everything, or no longer: what is shown may have changed meanwhile."""
        if stale != self.stale:
            self.stale = stale
            self.refresh()

    def sync(self) -> None:
        """Look again at the items: they got more, or lost their beginning."""
        before, self._shown = self._shown, self.count
        lost = self._items.dropped - self._dropped
        self._dropped = self._items.dropped
        if self.match_line is not None and lost:
            self.match_line = max(0, self.match_line - lost)
        top = self.highest_top if self.following else min(max(0, self.top - lost), self.highest_top)
        if top != self.top - lost or top + self.page > before - lost or not before:
            if top == self.top == 0 and not lost and before:  # not full yet: only the new lines are new
                for at in range(before, min(self._shown, self.page)):
                    self.repaint(at)
                return
            self.top = top
            self.refresh()
            return
        self.top = top

    def move(self, rows: int) -> None:
        """Scroll; reaching the end resumes following, leaving it holds still."""
        self.scroll_rows(self.top + rows)
        self._set_following(following=rows > 0 and self.top == self.highest_top and self.can_follow)

    can_follow = False
    """Whether there is a live end to follow."""

    def _set_following(self, *, following: bool) -> None:
        if following != self.following:
            self.following = following
            self.post_message(self.Changed())

    def action_follow(self) -> None:
        """Follow what comes, or hold still."""
        if self.can_follow:
            self._set_following(following=not self.following)
            if self.following:
                self.scroll_rows(self.highest_top)

    def action_times(self) -> None:
        """Show or hides the times."""
        self.times = not self.times
        self.refresh()

    def action_find(self) -> None:
        """Ask what to look for."""
        self.ask()

    def find(self, text: str) -> None:
        """Mark every occurrence of `text`, and go to the first one from here on."""
        self.query_text = text
        self.match_line = None
        self.refresh()
        if text:
            self._go_to_match(range(self.top, self.count), range(self.top))
        self.post_message(self.Changed())

    def action_find_next(self) -> None:
        """Go to the next match, from the end on to the first."""
        at = self.top if self.match_line is None else self.match_line + 1
        self._go_to_match(range(at, self.count), range(min(at, self.count)))

    def action_find_previous(self) -> None:
        """Go to the match before."""
        at = self.top if self.match_line is None else self.match_line
        self._go_to_match(range(at - 1, -1, -1), range(self.count - 1, at - 1, -1))

    def _go_to_match(self, *where: range) -> None:
        if not self.query_text:
            return
        at = next((at for part in where for at in part if self._matches(at)), None)
        self.match_line = at
        if at is not None:
            self._set_following(following=False)
            if not self.top <= at < self.top + self.page:
                self.scroll_rows(at - self.page // 3)
            self.refresh()
        self.post_message(self.Changed())

    def _matches(self, at: int) -> bool:
        return self.query_text.casefold() in "".join(piece.text for piece in self._draw(self._items[at])).casefold()

    def matches(self) -> tuple[int, int]:
        """Return which match the view is at, counted from 1 (0: at none), and how many lines match."""
        if not self.query_text:
            return 0, 0
        found = [at for at in range(self.count) if self._matches(at)]
        return (found.index(self.match_line) + 1 if self.match_line in found else 0), len(found)

    @property
    def search_status(self) -> Cell:
        """Say what is looked for, and how often it is there; empty without a search."""
        if not self.query_text:
            return EMPTY
        at, total = self.matches()
        return (*cell(f"/{self.query_text}", "warn"), Span(f" {at} of {total}", "dim"))

    def on_resize(self) -> None:
        """Keep the end in sight when it follows."""
        self.top = self.highest_top if self.following else min(self.top, self.highest_top)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        palette = palette_of(self.app)
        width = self.size.width
        at = self.top + y
        if at >= self.count:
            pieces = (Span("  "), Span(self.empty, "dim")) if y == 1 and not self.count and self.empty else EMPTY
            return strip(fit(pieces, width), palette)
        pieces = highlight(self._draw(self._items[at]), self.query_text)
        if self.left:
            pieces = slide(pieces, self.left)
        ground = palette.cursor_blur if at == self.match_line else None
        line = (Span(" "), *fit(pieces, width - 2), thumb(y, self.page, self.top, self.count))
        return strip(line, palette, ground, stale=self.stale)
