"""The log of one container beside other things: a `LogView` that brings the keys a screen of its own would have."""

from __future__ import annotations

from collections.abc import Callable

from pyd_core.logs.pattern import LogPattern
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.logs.logbook import Logbook
from pyd_tui.dashboard.panels.logview import LogView
from pyd_tui.dashboard.render.figures import Clock


class LogPane(LogView):
    """Shows whichever log it is handed; what is looked for stays when that is another one.

    Args:
        book: What to show at first.
        clock: Writes the times.
        told: Called when the cursor moved, or following began or ended.
    """

    BINDINGS = bindings("move", "text")

    def __init__(self, book: Logbook, clock: Clock, told: Callable[[], None], *, id: str) -> None:
        super().__init__(book, clock, told, id=id)
        self.ask: Callable[[], None] = lambda: None
        """Lets the user type what to look for. Called, not told by a message: the next key is text already."""

    @property
    def query_text(self) -> str:
        """What it looks for."""
        return self.book.search.pattern.text if self.book.search is not None else ""

    def find(self, text: str) -> None:
        """Mark every occurrence, and go to the first one from here back."""
        self.seek(LogPattern(text))

    def show(self, book: Logbook) -> None:
        """Show this log from now on."""
        if book is self.book:
            self.sync()
            return
        searched = self.book.search
        self.book = book
        self.restart()
        if searched is not None:
            book.find(searched.pattern)

    def action_find(self) -> None:
        """Ask what to look for."""
        self.ask()

    def action_find_next(self) -> None:
        """Go to the next match."""
        self.find_next(1)

    def action_find_previous(self) -> None:
        """Go to the match before."""
        self.find_next(-1)

    def action_follow(self) -> None:
        """Follow what comes, or hold still."""
        self.follow()

    def action_times(self) -> None:
        """Show or hides the times."""
        self.show_times()

    def action_left(self) -> None:
        """Go back towards the beginning of long lines."""
        self.slide(-1)

    def action_right(self) -> None:
        """Go towards the end of long lines."""
        self.slide(1)
