"""The dialog of the steps that a verdict suggests: the command is shown before it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding

from pyd_tui.dashboard.input.key_bindings import keys_of
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.render.next_steps import steps_dialog
from pyd_tui.dashboard.screens.dialog import Dialog
from pyd_tui.dashboard.widgets.block import TextBlock

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from pyd_tui.dashboard.actions.next_steps import Step
    from pyd_tui.dashboard.engines.target import RowTarget
    from pyd_tui.dashboard.screens.host import ScreenHost


class NextSteps(Dialog["tuple[Step, bool] | None"]):
    """Closes with the chosen step and whether to take it or only to copy it; None for neither.

    A digit selects a step, and only `enter` takes it.

    Args:
        name: The container's name.
        steps: The steps, the first of which changes nothing.
    """

    DEFAULT_CSS = """
    NextSteps TextBlock { border: round $primary; padding: 1 3; max-width: 95%; background: $background; }
    """
    # Digits are bindings, so that one typed right before enter is processed before it.
    BINDINGS: ClassVar = [
        *bindings("steps"),
        *(Binding(str(number), f"select({number})", show=False, priority=True) for number in range(1, 10)),
    ]
    SCOPE = "steps"

    def __init__(self, name: str, steps: Sequence[Step]) -> None:
        super().__init__()
        self._container = name
        self._steps = steps
        self._index = 0
        self._starts: Sequence[int] = ()
        """The first line of each step, and the line after the last."""

    def compose(self) -> ComposeResult:
        """Lay out a block of lines."""
        yield TextBlock()

    def on_resize(self) -> None:
        """Lay out the lines for the terminal's size."""
        self._paint()

    def _paint(self) -> None:
        room = max(20, self.app.size.width * 95 // 100 - 8)
        keys = keys_of(self.app).of("steps")
        lines, self._starts = steps_dialog(self._container, self._steps, self._index, keys, room=room)
        self.query_one(TextBlock).put(lines)

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self._index = min(max(0, self._index + by), len(self._steps) - 1)
        self._paint()

    def action_select(self, number: int) -> None:
        """Select a step by its number."""
        if number <= len(self._steps):
            self._index = number - 1
            self._paint()

    def on_click(self, event: events.Click) -> None:
        """Select the clicked step; a click on the selected one takes it."""
        row = self.row_at(event)
        starts = self._starts
        if row is None or not starts or not starts[0] <= row < starts[-1]:
            return  # the base presses the keys in the last line
        index = max(number for number, start in enumerate(starts[:-1]) if start <= row)
        if index == self._index:
            self.action_accept()
        else:
            self._index = index
            self._paint()

    def action_accept(self) -> None:
        """Take the step under the cursor."""
        self.dismiss((self._steps[self._index], True))

    def action_copy(self) -> None:
        """Copy the step under the cursor."""
        self.dismiss((self._steps[self._index], False))

    def action_cancel(self) -> None:
        """Close without a step."""
        self.dismiss(None)


def choose_step(
    dashboard: ScreenHost, target: RowTarget, steps: Sequence[Step], *, open_stats: Callable[[], object]
) -> None:
    """Let the user choose a step for a container, and take it or copy it."""
    from pyd_tui.dashboard.actions.next_steps import take_step  # noqa: PLC0415 - on first use

    def chosen(choice: tuple[Step, bool] | None) -> None:
        if choice is None:
            return
        step, is_taken = choice
        if not is_taken:
            dashboard.transfers.copy(step.text)
        elif step.kind == "stats":
            open_stats()
        else:
            take_step(dashboard, target, step)

    if (entry := target.entry) is None:
        dashboard.say("the container was removed", "warn")
    else:
        dashboard.push_screen(NextSteps(entry.name, steps), chosen)
