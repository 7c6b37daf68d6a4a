"""Asking before something that can't be undone, or that goes to many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyd_tui.dashboard.input.key_bindings import keys_of
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.render.confirm import confirm, page_size
from pyd_tui.dashboard.screens.dialog import Dialog
from pyd_tui.dashboard.widgets.block import TextBlock

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Confirm(Dialog[bool]):
    """Asks one question about all that it concerns; the exact names are listed.

    Args:
        question: What to ask.
        names: What it is about.
    """

    DEFAULT_CSS = """
    Confirm TextBlock { border: round $error; padding: 1 3; max-width: 90%; background: $background; }
    """
    BINDINGS = bindings("ask", "move")

    def __init__(self, question: str, names: Sequence[str]) -> None:
        super().__init__()
        self._question = question
        self._names = names
        self._top = 0

    def compose(self) -> ComposeResult:
        """A block of lines."""
        yield TextBlock()

    def on_resize(self) -> None:
        """Lays the lines out for the terminal as it is."""
        self._scroll(0)

    @property
    def _most(self) -> int:
        return max(3, self.app.size.height - 12)

    def _scroll(self, by: int) -> None:
        """Shows other names of a list that is longer than the screen: all of it can be read before an answer."""
        last = len(self._names) - page_size(len(self._names), self._most)
        self._top = min(max(0, self._top + by), last)
        room = max(20, self.app.size.width * 9 // 10 - 8)
        table = keys_of(self.app)
        scroll = "  ".join(key.shown for key in table.of("move") if key.name in {"down", "up"})
        look = {"room": room, "most": self._most, "top": self._top}
        lines = confirm(self._question, self._names, table.of("ask"), **look, scroll=scroll)
        self.query_one(TextBlock).put(lines)

    def action_down(self) -> None:
        """One name further."""
        self._scroll(1)

    def action_up(self) -> None:
        """One name back."""
        self._scroll(-1)

    def action_half_down(self) -> None:
        """Half a page further."""
        self._scroll(self._most // 2)

    def action_half_up(self) -> None:
        """Half a page back."""
        self._scroll(-(self._most // 2))

    def action_first(self) -> None:
        """To the first name."""
        self._scroll(-len(self._names))

    def action_last(self) -> None:
        """To the last name."""
        self._scroll(len(self._names))

    def action_answer(self, yes: bool) -> None:
        """Closes with the answer."""
        self.dismiss(yes)
