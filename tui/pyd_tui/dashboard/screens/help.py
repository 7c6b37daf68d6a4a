"""Every key, from the same table that binds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.screen import Screen

from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.panels.tabs import Tabs
from pyd_tui.dashboard.render.help import help_lines
from pyd_tui.dashboard.render.pieces import Cell
from pyd_tui.dashboard.widgets.lines import Fixed, Lines

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Help(Screen[None]):
    """Lists the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "close", "back", show=False, priority=True),
    ]

    def compose(self) -> ComposeResult:
        """A title, the keys, and how to get back."""
        yield Tabs(("keys",), "keys", id="tabs")
        lines: Lines[Cell] = Lines(_same, id="help")
        yield lines
        yield Footer("move")

    def on_mount(self) -> None:
        """Takes the focus, so that the list scrolls."""
        self.query_one(Lines).focus()

    def on_resize(self) -> None:
        """Lays the list out for the width there is."""
        self.query_one(Lines).show(Fixed(help_lines(self.size.width)))

    def action_close(self) -> None:
        """Goes back."""
        self.dismiss()


def _same(line: Cell) -> Cell:
    return line
