"""Every key and command, from the same tables that bind them; what is typed narrows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import Screen

from pyd_tui.dashboard.input.key_bindings import keys_of
from pyd_tui.dashboard.input.keymap import bindings
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.panels.tabs import Tabs
from pyd_tui.dashboard.render.help import help_lines
from pyd_tui.dashboard.render.pieces import Cell
from pyd_tui.dashboard.widgets.lines import Fixed, LineList
from pyd_tui.dashboard.widgets.prompt import Prompt

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Help(Screen[None]):
    """Lists the keys."""

    DEFAULT_CSS = "Help #narrowing { display: none; }"
    BINDINGS = bindings("help", "everywhere")

    def compose(self) -> ComposeResult:
        """A title, the keys, and how to get back."""
        yield Tabs(("keys and commands",), "keys and commands", id="tabs")
        yield Prompt(id="narrowing")
        lines: LineList[Cell] = LineList(_same, id="help")
        yield lines
        yield Footer("help", "move")

    def on_mount(self) -> None:
        """Takes the focus, so that the list scrolls."""
        self._prompt = self.query_one(Prompt)
        self.query_one(LineList).focus()

    def on_resize(self) -> None:
        """Lays the list out for the width there is."""
        self._look()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While something is typed, keys are text."""
        return not isinstance(self.focused, Prompt) and super().check_action(action, parameters)

    def _look(self) -> None:
        wanted = self.query_one(Prompt).text
        self.query_one(LineList).show(Fixed(help_lines(self.size.width, keys_of(self.app), wanted)))

    def action_search(self) -> None:
        """Lets the user type words."""
        self._prompt.display = True
        self.set_focus(self._prompt)

    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        """Narrows to what has all the words."""
        event.stop()
        self._look()

    def on_prompt_done(self, event: Prompt.Done) -> None:
        """Goes back to the list."""
        event.stop()
        if not event.kept:
            self._prompt.set_text("")
            self._look()
        self._prompt.display = bool(self._prompt.text)
        self.query_one(LineList).focus()

    def action_back(self) -> None:
        """Shows all keys again, else goes back."""
        if self._prompt.text:
            self._prompt.set_text("")
            self._prompt.display = False
            self._look()
        else:
            self.dismiss()

    def action_quit(self) -> None:
        """Goes back."""
        self.dismiss()


def _same(line: Cell) -> Cell:
    return line
