"""The help screen: all keys and commands, from the tables that bind them, with a filter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from textual.screen import Screen

from pyd_tui.dashboard.input.key_bindings import keys_of
from pyd_tui.dashboard.input.keymap import Scope, bindings
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.panels.tabs import Tabs
from pyd_tui.dashboard.render.help import help_lines
from pyd_tui.dashboard.render.help_provider import HelpProvider
from pyd_tui.dashboard.render.pieces import Cell
from pyd_tui.dashboard.widgets.lines import Fixed, LineList
from pyd_tui.dashboard.widgets.prompt import Prompt

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from pyd_tui.dashboard.protocols import EngineRegistry


class Help(Screen[None]):
    """Lists the keys and commands.

    Args:
        scopes: The scopes of the screen that help was asked on; they come first.
    """

    DEFAULT_CSS = "Help #narrowing { display: none; }"
    BINDINGS = bindings("help", "everywhere")

    def __init__(self, scopes: Sequence[Scope] = ()) -> None:
        super().__init__()
        self._asked_from = scopes

    def compose(self) -> ComposeResult:
        """Lay out a title, the keys, and the footer."""
        yield Tabs(("keys and commands",), "keys and commands", id="tabs")
        yield Prompt(id="narrowing")
        lines: LineList[Cell] = LineList(_same, id="help")
        yield lines
        yield Footer("help", "move", without={"app.help"})

    def on_mount(self) -> None:
        """Focus the list, so that it scrolls."""
        self._prompt = self.query_one(Prompt)
        self.query_one(LineList).focus()

    def on_resize(self) -> None:
        """Lay out the list for the terminal's width."""
        self._update()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Treat keys as text while the user types."""
        return not isinstance(self.focused, Prompt) and super().check_action(action, parameters)

    def _update(self) -> None:
        query = self.query_one(Prompt).text
        link = cast("EngineRegistry", self.app).link
        provider = HelpProvider(family=link.family, lacks=link.lacks)
        lines = help_lines(self.size.width, keys_of(self.app), query, self._asked_from, provider)
        self.query_one(LineList).show(Fixed(lines))

    def action_search(self) -> None:
        """Let the user type a filter."""
        self._prompt.display = True
        self.set_focus(self._prompt)

    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        """Show only lines with all the words."""
        event.stop()
        self._update()

    def on_prompt_done(self, event: Prompt.Done) -> None:
        """Focus the list."""
        event.stop()
        if not event.kept:
            self._prompt.set_text("")
            self._update()
        self._prompt.display = bool(self._prompt.text)
        self.query_one(LineList).focus()

    def action_back(self) -> None:
        """Clear the filter, else go back."""
        if self._prompt.text:
            self._prompt.set_text("")
            self._prompt.display = False
            self._update()
        else:
            self.dismiss()

    def action_quit(self) -> None:
        """Close the screen."""
        self.dismiss()


def _same(line: Cell) -> Cell:
    return line
