"""What all views have in common: the digits that open each other, and the line to type a command into."""

from __future__ import annotations

from textual import on

from pyd_core.errors import PydError
from pyd_tui.dashboard.commands import Call, parse
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.screens.base import FindingScreen
from pyd_tui.dashboard.widgets.prompt import Prompt


class ViewScreen(FindingScreen):
    """A view; it holds a prompt with the id `command`."""

    view = "containers"
    """Its name."""
    DEFAULT_CSS = "ViewScreen #command { display: none; }"

    def action_view(self, name: str) -> None:
        """Opens another view."""
        self.dashboard.open_view(name)

    def action_command(self, begin: str = "") -> None:
        """Lets the user type a command, from a beginning."""
        prompt = self.query_one("#command", Prompt)
        prompt.set_text(begin)
        prompt.display = True
        self.set_focus(prompt)

    def home(self) -> None:
        """Gives the focus back to the list."""
        raise NotImplementedError

    def run(self, call: Call) -> None:
        """Does what was typed, if it is about what this view shows."""
        del call
        self.dashboard.say("that is about containers", "warn", "1 opens them")

    def _try(self, call: Call) -> None:
        try:
            self.run(call)
        except PydError as error:
            self.query_one(Footer).say(error.message, "bad", error.hint)

    @on(Prompt.Done, "#command")
    def _command_done(self, event: Prompt.Done) -> None:
        text = event.control.text
        event.control.set_text("")
        event.control.display = False
        self.home()
        if not event.kept or not text.strip():
            return
        try:
            call = parse(text)
        except PydError as error:
            self.query_one(Footer).say(error.message, "bad", error.hint)
            return
        match call.verb:
            case "view":
                self.dashboard.open_view(call.words[0])
            case "quit":
                self.app.exit()
            case "engines":
                self.dashboard.action_engines()
            case "help":
                self.dashboard.action_help()
            case _:
                self._try(call)
