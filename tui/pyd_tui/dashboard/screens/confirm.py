"""The confirmation of an action that can't be undone, or that affects several objects."""

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
    """Asks one question, and lists the exact names that it affects.

    Args:
        question: The question.
        names: The affected objects.
    """

    DEFAULT_CSS = """
    Confirm TextBlock { border: round $error; padding: 1 3; max-width: 90%; background: $background; }
    """
    BINDINGS = bindings("ask", "move")
    SCOPE = "ask"

    def __init__(self, question: str, names: Sequence[str]) -> None:
        super().__init__()
        self._question = question
        self._names = names
        self._top = 0

    def compose(self) -> ComposeResult:
        """Lay out a block of lines."""
        yield TextBlock()

    def on_resize(self) -> None:
        """Lay out the lines for the terminal's size."""
        self._scroll(0)

    @property
    def _max_lines(self) -> int:
        return max(3, self.app.size.height - 12)

    def _scroll(self, by: int) -> None:
        """Scroll a list that is longer than the screen: all of it can be read before the answer."""
        last = len(self._names) - page_size(len(self._names), self._max_lines)
        self._top = min(max(0, self._top + by), last)
        room = max(20, self.app.size.width * 9 // 10 - 8)
        table = keys_of(self.app)
        scroll = "  ".join(key.shown for key in table.of("move") if key.name in {"down", "up"})
        lines = confirm(
            self._question,
            self._names,
            table.of("ask"),
            room=room,
            max_lines=self._max_lines,
            top=self._top,
            scroll=scroll,
        )
        self.query_one(TextBlock).put(lines)

    def action_down(self) -> None:
        """Scroll down one name."""
        self._scroll(1)

    def action_up(self) -> None:
        """Scroll up one name."""
        self._scroll(-1)

    def action_half_down(self) -> None:
        """Scroll down half a page."""
        self._scroll(self._max_lines // 2)

    def action_half_up(self) -> None:
        """Scroll up half a page."""
        self._scroll(-(self._max_lines // 2))

    def action_first(self) -> None:
        """Scroll to the first name."""
        self._scroll(-len(self._names))

    def action_last(self) -> None:
        """Scroll to the last name."""
        self._scroll(len(self._names))

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes)
