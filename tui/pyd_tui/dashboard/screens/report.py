"""The report of an action on several objects, with an offer to retry the failed ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyd_core.errors import PydError
from pyd_tui.dashboard.input.key_bindings import keys_of
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.render.report import report
from pyd_tui.dashboard.screens.dialog import Dialog
from pyd_tui.dashboard.widgets.block import TextBlock

if TYPE_CHECKING:
    from textual.app import ComposeResult


class ReportScreen(Dialog[bool]):
    """Closes with whether to retry the failed ones.

    Args:
        done: The action, as in `stopped`.
        outcomes: Names, and the errors.
    """

    DEFAULT_CSS = """
    ReportScreen TextBlock { border: round $warning; padding: 1 3; max-width: 95%; background: $background; }
    """
    BINDINGS = bindings("report")
    SCOPE = "report"

    def __init__(self, done: str, outcomes: Sequence[tuple[str, PydError | None]]) -> None:
        super().__init__()
        self._done = done
        self._outcomes = outcomes

    def compose(self) -> ComposeResult:
        """Lay out a block of lines."""
        yield TextBlock()

    def on_resize(self) -> None:
        """Lay out the lines for the terminal's size."""
        room = max(20, self.app.size.width * 95 // 100 - 8)
        most = max(3, self.app.size.height - 10)
        answers = keys_of(self.app).of("report")
        self.query_one(TextBlock).put(report(self._done, self._outcomes, answers, room=room, max_names=most))

    def action_answer(self, again: bool) -> None:
        """Close with the answer."""
        self.dismiss(again)
