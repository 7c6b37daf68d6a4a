"""The verdict on a container, from which its suggested steps are taken."""

from __future__ import annotations

from collections.abc import Callable

from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.render.pieces import Cell
from pyd_tui.dashboard.widgets.lines import LineList


class WhyPane(LineList[Cell]):
    """Lines of a verdict.

    Args:
        on_act: Called to choose one of the suggested steps.
        empty: Text shown before there is a verdict.
        id: The widget's name.
    """

    BINDINGS = bindings("why")

    def __init__(self, on_act: Callable[[], None], *, empty: str, id: str) -> None:
        super().__init__(lambda line: line, empty=empty, id=id)
        self._on_act = on_act

    def action_next_steps(self) -> None:
        """Choose one of the suggested steps."""
        self._on_act()
