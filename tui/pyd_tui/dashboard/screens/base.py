"""The base of the dashboard's screens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from textual import on
from textual.events import DescendantBlur, DescendantFocus
from textual.screen import Screen

from pyd_core.errors import PydError
from pyd_core.watch.delta import Delta
from pyd_tui.dashboard.input.key_bindings import keys_of
from pyd_tui.dashboard.input.prompt_keys import prompt_keys
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.panels.header import Header
from pyd_tui.dashboard.widgets.prompt import Prompt

if TYPE_CHECKING:
    from pyd_tui.dashboard.engines.connection import EngineConnection
    from pyd_tui.dashboard.engines.target import RowTarget
    from pyd_tui.dashboard.panels.files import FilesPane
    from pyd_tui.dashboard.panels.logview import LogView
    from pyd_tui.dashboard.panels.searched import SearchableTable
    from pyd_tui.dashboard.screens.host import ScreenHost
    from pyd_tui.dashboard.screens.menu import MenuEntry
    from pyd_tui.dashboard.widgets.lines import LineList


class LiveScreen(Screen[None]):
    """A screen that receives events, whether it is on top or not."""

    @property
    def dashboard(self) -> ScreenHost:
        """The app, as screens see it."""
        return cast("ScreenHost", self.app)

    @property
    def is_current(self) -> bool:
        """Whether any part of the screen is visible.

        Textual considers the screen right below an opaque one visible as well, and repaints the whole terminal whenever
        something changes there.
        """
        stack = self.app.screen_stack if self.is_attached else []
        return self in stack and all(above.styles.background.a < 1 for above in stack[stack.index(self) + 1 :])

    @property
    def links(self) -> Sequence[EngineConnection]:
        """The engines that the screen shows."""
        return (self.dashboard.link,)

    @property
    def target(self) -> RowTarget | None:
        """The container that keys act on."""
        return None

    def require_target(self) -> RowTarget | None:
        """Return the container that keys act on; if there is none, show a message."""
        if (target := self.target) is None:
            self.dashboard.say("no container selected", "warn")
        return target

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Treat keys as text while the user types."""
        return not isinstance(self.focused, Prompt) and super().check_action(action, parameters)

    @on(DescendantFocus)
    @on(DescendantBlur)
    def _name_prompt_keys(self) -> None:
        """Name the keys of a prompt in the footer while the user types into it."""
        prompt = self.focused
        for footer in self.query(Footer):
            if isinstance(prompt, Prompt):
                completes = prompt.complete is not None
                footer.set_prompt(prompt_keys(prompt.id or "", prompt.sign, keys_of(self.app), completes=completes))
            else:
                footer.set_prompt(())

    def changed(self, link: EngineConnection, delta: Delta, *, happened: bool) -> None:
        """Take a change of one of the engines; `happened` is whether there are events worth showing."""

    def measured(self) -> None:
        """Take new figures of resource usage."""

    def judged(self) -> None:
        """Take a new verdict."""

    def logged(self) -> None:
        """Take new lines of the followed log."""

    def ticked(self) -> None:
        """Show how old the data is, once a second while it isn't current."""
        for header in self.query(Header):
            header.update_content()

    def on_other_engine_changed(self) -> None:
        """Take note of a change on an engine that the screen doesn't show."""

    def watched(self) -> set[RowTarget]:
        """Return the containers whose resource usage the screen shows."""
        return set()

    @property
    def ranks_usage(self) -> bool:
        """Whether the screen shows an order by resource usage, for which all containers are measured."""
        return False

    def action_debug(self) -> None:
        """Open a debug shell in the container."""
        from pyd_tui.dashboard.actions.suspend import enter_debug  # noqa: PLC0415 - on first use

        if (target := self.require_target()) is not None:
            self.dashboard.tasks.start(enter_debug(self.dashboard, target), name="debug")

    def action_shell(self) -> None:
        """Open the container's own shell."""
        from pyd_tui.dashboard.actions.suspend import enter_shell  # noqa: PLC0415 - on first use

        if (target := self.require_target()) is not None:
            self.dashboard.tasks.start(enter_shell(self.dashboard, target), name="exec")

    def bind_own(self) -> None:
        """Bind the keys of the user's own commands, which act on the target."""
        for key, name in self.dashboard.keys.own.items():
            self._bindings.bind(key, f"own({name!r})", show=False, priority=True)

    def own_subjects(self) -> tuple[EngineConnection, list[Mapping[str, str]]]:
        """Return what the user's own commands act on: the engine, and the fields of each object."""
        from pyd_tui.dashboard.actions.user_commands import values  # noqa: PLC0415 - on first use

        target = self.target
        return (target.link, [values(target.entry)]) if target is not None else (self.dashboard.link, [values(None)])

    def own_entries(self) -> list[MenuEntry]:
        """Return the menu's entries for the user's own commands."""
        from pyd_tui.dashboard.input.key_bindings import shown  # noqa: PLC0415 - on first use
        from pyd_tui.dashboard.screens.menu import MenuEntry  # noqa: PLC0415 - on first use

        by_name = {name: shown(key) for key, name in self.dashboard.keys.own.items()}
        return [
            MenuEntry(
                key=by_name.get(command.name, ""),
                text=command.help or command.name,
                run=partial(self.action_own, command.name),
            )
            for command in self.dashboard.keys.commands
        ]

    def action_own(self, name: str) -> None:
        """Run one of the user's own commands."""
        link, subjects = self.own_subjects()
        try:
            self.dashboard.external_commands.own(name, link, subjects)
        except PydError as error:
            self.dashboard.say(error.message, "bad", error.hint)

    def action_quit(self) -> None:
        """Close the screen."""
        self.dismiss()


class SearchableScreen(LiveScreen):
    """A screen with panes that are searched through one prompt, with the id `find`."""

    DEFAULT_CSS = "SearchableScreen #find { display: none; }"

    @property
    def pane(self) -> LineList[Any] | LogView | FilesPane | SearchableTable:
        """The pane that has the keys."""
        raise NotImplementedError

    @property
    def searchable(self) -> LineList[Any] | FilesPane | SearchableTable | None:
        """The pane that is searched through the screen's prompt; None for a log, which has its own."""
        from pyd_tui.dashboard.panels.logview import LogView  # noqa: PLC0415 - screens without a log don't load it

        return None if isinstance(self.pane, LogView) else self.pane

    @property
    def _find(self) -> Prompt:
        return self.query_one("#find", Prompt)

    def ask_find(self) -> None:
        """Let the user type a search text."""
        self._find.display = True
        self.set_focus(self._find)

    def end_find(self) -> bool:
        """End a search, and return whether there was one."""
        pane = self.searchable
        if pane is None or not pane.query_text:
            return False
        self._find.set_text("")
        pane.find("")
        return True

    @on(Prompt.Changed, "#find")
    def _find_typed(self, event: Prompt.Changed) -> None:
        if (pane := self.searchable) is not None:
            pane.find(event.text)

    @on(Prompt.Done, "#find")
    def _find_done(self, event: Prompt.Done) -> None:
        if not event.kept and (pane := self.searchable) is not None:
            self._find.set_text("")
            pane.find("")
        self._find.display = False
        self.set_focus(self.pane)
