"""The base of all views: keys that open other views, and the command prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on

from pyd_core.errors import PydError
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.panels.views import view_at_key
from pyd_tui.dashboard.render.pieces import EMPTY, cell
from pyd_tui.dashboard.screens.base import SearchableScreen
from pyd_tui.dashboard.widgets.prompt import Prompt

if TYPE_CHECKING:
    from pyd_tui.dashboard.input.command_call import CommandCall


class ViewScreen(SearchableScreen):
    """A view, with a prompt of the id `command`."""

    view = "containers"
    """The name of the view."""
    DEFAULT_CSS = "ViewScreen #command { display: none; }"

    def action_view(self, name: str) -> None:
        """Open the view of a key."""
        self.dashboard.open_view(view_at_key(name, self.dashboard.link.family))

    def action_command(self, begin: str = "") -> None:
        """Let the user type a command, with an initial text."""
        from pyd_tui.dashboard.input.commands import complete  # noqa: PLC0415 - on first use

        prompt = self.query_one("#command", Prompt)
        prompt.set_text(begin)
        self._show_hint(prompt)
        prompt.complete = lambda text: complete(text, self.dashboard.own_names)
        prompt.display = True
        self.set_focus(prompt)

    def action_search(self, text: str = "") -> None:
        """Search the logs of all containers."""
        from pyd_tui.dashboard.screens.search import SearchScreen  # noqa: PLC0415 - on first use

        self.app.push_screen(SearchScreen(text))

    def home(self) -> None:
        """Focus the list."""
        raise NotImplementedError

    def run(self, call: CommandCall) -> None:
        """Run a command on what this view shows."""
        if call.verb == "pull" and call.words:
            self.dashboard.container_actions.pull(self.dashboard.link, call.words[0], ask=False)
        elif call.verb == "resource":
            self.dashboard.open_view(f"resource:{call.words[0]}")
        else:
            kind, key = ("an image", "2") if call.verb in {"tag", "push", "run"} else ("a container", "1")
            self.dashboard.say(f"only works on {kind}", "warn", f"press {key}")

    def do(self, call: CommandCall) -> None:
        """Run a typed or chosen command."""
        dashboard = self.dashboard
        try:
            match call.verb:
                case "view":
                    dashboard.open_view(call.words[0])
                case "quit":
                    self.app.exit()
                case "help":
                    dashboard.action_help()
                case "engines" | "merge":
                    (dashboard.action_engines if call.verb == "engines" else dashboard.action_merge)()
                case "search":
                    self.action_search(" ".join(call.words))
                case "registry":
                    from pyd_tui.dashboard.actions.image_actions import ImageActions  # noqa: PLC0415 - rarely used

                    pull = dashboard.container_actions.pull
                    ImageActions(dashboard, dashboard.link, pull).search(" ".join(call.words))
                case "theme":
                    dashboard.set_theme(call.words[0])
                case "undo":
                    dashboard.action_undo()
                case "accept":
                    dashboard.container_actions.keep()
                case "own":
                    self.action_own(call.words[0])
                case _:
                    self.run(call)
        except PydError as error:
            self.query_one(Footer).say(error.message, "bad", error.hint)

    def action_palette(self) -> None:
        """Let the user find a command, a container or a view by a few letters."""
        from pyd_tui.dashboard.screens.palette import CommandPalette  # noqa: PLC0415 - on first use

        self.app.push_screen(
            CommandPalette(self.dashboard, self), lambda chosen: chosen() if chosen is not None else None
        )

    @on(Prompt.Changed, "#command")
    def _command_typed(self, event: Prompt.Changed) -> None:
        self._show_hint(event.control)

    def _show_hint(self, prompt: Prompt) -> None:
        """Show the syntax of what is typed, whether the user or a key typed it."""
        from pyd_tui.dashboard.input.commands import hint  # noqa: PLC0415 - on first use

        prompt.set_notes(cell(hint(prompt.text, self.dashboard.own_names), "dim"), EMPTY)

    @on(Prompt.Done, "#command")
    def _command_done(self, event: Prompt.Done) -> None:
        text = event.control.text
        event.control.set_text("")
        event.control.display = False
        self.home()
        if not event.kept or not text.strip():
            return
        from pyd_tui.dashboard.input.commands import parse  # noqa: PLC0415 - on first use

        try:
            call = parse(text, self.dashboard.own_names)
        except PydError as error:
            self.query_one(Footer).say(error.message, "bad", error.hint)
            return
        self.do(call)
