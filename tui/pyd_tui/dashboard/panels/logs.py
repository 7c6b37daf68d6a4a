"""Log pane of one container, next to other panels: a `LogView` with the keys of a screen of its own."""

from __future__ import annotations

from collections.abc import Callable

from pyd_core.logs.pattern import LogPattern
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.logs.logbook import Logbook
from pyd_tui.dashboard.panels.logview import LogView
from pyd_tui.dashboard.render.figures import Clock


class LogPane(LogView):
    """Shows one log at a time; the search stays when another is shown.

    Args:
        book: The first log.
        clock: The clock.
        on_changed: Called when the cursor moves, or following starts or stops.
    """

    BINDINGS = bindings("move", "text")

    def __init__(self, book: Logbook, clock: Clock, on_changed: Callable[[], None], *, id: str) -> None:
        super().__init__(book, clock, on_changed, id=id)
        self._sought: LogPattern | None = None
        """The pattern whose older lines were searched."""
        self.ask: Callable[[], None] = lambda: None
        """Let the user type a search. A call rather than a message, since the next key is already text."""

    @property
    def query_text(self) -> str:
        """The search text."""
        return self.book.search.pattern.text if self.book.search is not None else ""

    def find(self, text: str) -> None:
        """Highlight every occurrence, and go to the first one from the cursor back."""
        self.seek(LogPattern(text))

    def on_focus(self) -> None:
        """Search older lines, once typing has ended and no loaded line matches."""
        search = self.book.search
        if search is not None and search.pattern != self._sought:
            self._sought = search.pattern
            self.seek_older()

    def show(self, book: Logbook) -> None:
        """Show this log."""
        if book is self.book:
            self.sync()
            return
        searched = self.book.search
        self.book = book
        self.restart()
        if searched is not None:
            book.find(searched.pattern)

    def action_find(self) -> None:
        """Ask for a search."""
        self.ask()

    def action_find_next(self) -> None:
        """Go to the next match."""
        self.find_next(1)

    def action_find_previous(self) -> None:
        """Go to the previous match."""
        self.find_next(-1)

    def action_follow(self) -> None:
        """Follow new lines, or stop following."""
        self.follow()

    def action_times(self) -> None:
        """Show or hides the times."""
        self.show_times()

    def action_left(self) -> None:
        """Scroll left in long lines."""
        self.slide(-1)

    def action_right(self) -> None:
        """Scroll right in long lines."""
        self.slide(1)
