"""Asking before something that can't be undone, or that goes to many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyd_tui.dashboard.keymap import bindings
from pyd_tui.dashboard.keys import keys_of
from pyd_tui.dashboard.render.confirm import confirm
from pyd_tui.dashboard.screens.dialog import Dialog
from pyd_tui.dashboard.widgets.block import Block

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Confirm(Dialog[bool]):
    """Asks one question about all that it concerns; the exact names are listed.

    Args:
        question: What to ask.
        names: What it is about.
    """

    DEFAULT_CSS = """
    Confirm Block { border: round $error; padding: 1 3; max-width: 90%; background: $background; }
    """
    BINDINGS = bindings("ask")

    def __init__(self, question: str, names: Sequence[str]) -> None:
        super().__init__()
        self._question = question
        self._names = names

    def compose(self) -> ComposeResult:
        """A block of lines."""
        yield Block()

    def on_resize(self) -> None:
        """Lays the lines out for the terminal as it is."""
        room = max(20, self.app.size.width * 9 // 10 - 8)
        lines = max(3, self.app.size.height - 12)
        answers = keys_of(self.app).of("ask")
        self.query_one(Block).put(confirm(self._question, self._names, answers, room=room, most=lines))

    def action_answer(self, yes: bool) -> None:
        """Closes with the answer."""
        self.dismiss(yes)
