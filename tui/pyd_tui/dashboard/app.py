"""The full-screen dashboard: the connections to engines, and the screens that show them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from textual import events
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App

from pyd_core.errors import PydError
from pyd_core.tasks import TaskOwner
from pyd_tui.dashboard.actions.column_choice import ColumnChoice
from pyd_tui.dashboard.actions.job_progress import Jobs
from pyd_tui.dashboard.actions.undo import UndoBar
from pyd_tui.dashboard.engines.event_dispatcher import EventDispatcher
from pyd_tui.dashboard.input.key_bindings import Keys
from pyd_tui.dashboard.input.quit_guard import QuitGuard
from pyd_tui.dashboard.logs.log_tail import LogTail
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.panels.views import Views
from pyd_tui.dashboard.render.figures import Clock
from pyd_tui.dashboard.render.pieces import Role
from pyd_tui.dashboard.screens.base import LiveScreen
from pyd_tui.dashboard.screens.main import Main
from pyd_tui.dashboard.startup.navigation import capture_state, open_view, start
from pyd_tui.dashboard.startup.startup_state import StartupState
from pyd_tui.dashboard.theme.ascii import Ascii
from pyd_tui.dashboard.theme.partial_update import FullUpdate, TerminalContents, TightUpdate
from pyd_tui.dashboard.theme.themes import PALETTES, PREFIX, palette_named, palette_of, preferred
from pyd_tui.dashboard.widgets.prompt import Prompt

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType
    from textual.filter import LineFilter
    from textual.screen import Screen

    from pyd_tui.dashboard.actions.container_actions import ContainerActions
    from pyd_tui.dashboard.actions.external_commands import ExternalCommands
    from pyd_tui.dashboard.actions.transfers import Transfers
    from pyd_tui.dashboard.engines.connection import Choose, EngineConnection
    from pyd_tui.dashboard.engines.target import RowTarget
    from pyd_tui.dashboard.engines.timeline import Timeline
    from pyd_tui.dashboard.resources.base import LoadContext
    from pyd_tui.dashboard.screens.host import ScreenHost
    from pyd_tui.dashboard.theme.styles import StylePalette

CLOSE_TIMEOUT_S = 5.0
"""The longest time that closing connections may delay the exit."""


class Dashboard(App[None]):
    """The live dashboard of containers.

    Args:
        links: The connections to the engines, started or not; the first is the current one.
        clock: The clock; tests use one that stands still.
        palette: The colours; by default those that the settings and the environment request.
        startup: The settings, and the view to open.
        history: The file that records deaths while the dashboard is open; None records none.
    """

    TITLE = "pyd"
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        links: Sequence[EngineConnection],
        *,
        clock: Clock | None = None,
        palette: StylePalette | None = None,
        startup: StartupState | None = None,
        history: Path | None = None,
    ) -> None:
        self.startup = startup = startup or StartupState()
        palette = palette or preferred(startup.theme)
        super().__init__(ansi_color=palette.plain or None)
        self.jobs = Jobs(self._progressed)
        """Long-running work, with its progress."""
        self.undo_bar = UndoBar(self, self._progressed)
        """The offer to undo the last action."""
        self._quit_guard = QuitGuard(
            self.exit, lambda text: self.say(text, "warn"), confirm=startup.settings.confirm_quit
        )
        self.keys = Keys(startup.settings.keys, startup.settings.commands)
        """The effective keys."""
        self.ui_state = startup.remembered
        """The state to restore next time."""
        self.set_keymap(self.keys.overrides)
        self._ascii = [Ascii()] if startup.ascii else []
        for known in PALETTES.values():
            self.register_theme(known.theme)
        self.theme = self._styled_theme = palette.name
        self.stylesheet.set_variables(self.get_css_variables())
        self.animation_level = "none"
        self.clock = clock or Clock()
        self._written = TerminalContents()
        self.dispatcher = EventDispatcher(self, history)
        self.links = [*links]
        """All engines."""
        self.link = self.links[0]
        self.merged = startup.merged and len(self.links) > 1
        """Whether the containers of all engines are in one list."""
        self.tail = LogTail(self.clock.now, self._logged)
        """The followed log of the container under the cursor."""
        self.tasks = TaskOwner(self._failed)
        self.bug: Exception | None = None
        """The bug that ended the dashboard, if one did."""
        self.column_choice = ColumnChoice(startup.settings.columns, startup.config_path)
        """The columns of the views."""
        self.load_contexts: dict[EngineConnection, LoadContext] = {}
        """The data that the views of each engine have loaded, once one was opened."""

    @cached_property
    def container_actions(self) -> ContainerActions:
        """Actions on containers."""
        from pyd_tui.dashboard.actions.container_actions import ContainerActions  # noqa: PLC0415 - after the first picture

        return ContainerActions(self)

    @cached_property
    def transfers(self) -> Transfers:
        """Downloads and the clipboard."""
        from pyd_tui.dashboard.actions.transfers import Transfers  # noqa: PLC0415 - on first use

        return Transfers(self)

    @cached_property
    def external_commands(self) -> ExternalCommands:
        """Compose and the user's own commands."""
        from pyd_tui.dashboard.actions.external_commands import ExternalCommands  # noqa: PLC0415 - on first use

        return ExternalCommands(self)

    def get_default_screen(self) -> Main:
        """Return the list of containers."""
        return Main()

    def on_mount(self) -> None:
        """Paint first what is known, and only then listen to the engines."""
        self.tail.start_frames(self)
        self.dispatcher.start()
        self.call_after_refresh(start, self)

    def exit(self, result: None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """Leave, and keep the state for next time."""
        self.ui_state = capture_state(self)  # pyright: ignore[reportArgumentType] - it takes a cached property for its class
        super().exit(result, return_code, message)

    def refresh_bars(self) -> None:
        """Update the line of views and the footer of the top screen."""
        for views in self.screen.query(Views) if self.screen_stack else ():
            views.refresh_views()
        for footer in self.screen.query(Footer) if self.screen_stack else ():
            footer.refresh_keys()

    def _logged(self) -> None:
        for screen in self.live_screens[-1:]:
            screen.logged()

    def _progressed(self) -> None:
        for footer in self.screen.query(Footer) if self.screen_stack else ():
            footer.repaint_line()

    def refresh_css(self, animate: bool = True) -> None:
        """Parse the styles for another theme; Textual also asks for it at the start, when they are parsed already."""
        if self.theme != self._styled_theme:
            self._styled_theme = self.theme
            super().refresh_css(animate)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Add the ASCII filter where the terminal shows only ASCII."""
        return [*super().get_line_filters(), *self._ascii]

    async def on_unmount(self) -> None:
        """Close everything, and wait at most `CLOSE_TIMEOUT_S` for engines."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self.tasks.aclose()
                await self.tail.aclose()
                await asyncio.gather(*(link.aclose() for link in self.links))

    # Events

    @property
    def live_screens(self) -> list[LiveScreen]:
        """The screens that follow events, the one on top last; empty while the app ends."""
        stack = self.screen_stack if self.is_running else []
        return [screen for screen in stack if isinstance(screen, LiveScreen) and screen.is_mounted]

    @property
    def in_sight(self) -> list[EngineConnection]:
        """The engines whose containers are listed."""
        return self.links if self.merged else [self.link]

    @property
    def timeline(self) -> Timeline:
        """The events of the current engine."""
        return self.link.timeline

    def add_engine(self, choose: Choose, name: str) -> EngineConnection:
        """Add an engine without connecting to it."""
        link = self.link.sibling(choose, name)
        link.listen(self.dispatcher)
        self.links.append(link)
        return link

    def use(self, link: EngineConnection) -> None:
        """Make an engine the current one, and list only its containers; the others stay connected but unmeasured."""
        link.start()
        if link is not self.link:
            self.link = link
            self.tasks.start(self.tail.follow(None), name="log of nothing")
        self._show_containers(merged=False)

    def action_merge(self) -> None:
        """List the containers of all engines together, or those of one engine."""
        if len(self.links) < 2:
            self.say("there is no other engine", "warn", "E lists docker's contexts; pyd -H … -H … opens several")
            return
        self._show_containers(merged=not self.merged)
        self.ui_state = replace(self.ui_state, merged=self.merged)

    def _show_containers(self, *, merged: bool) -> None:
        """Return to the containers, of all engines or of the current one."""
        self.merged = merged
        while len(self.screen_stack) > 1:
            self.pop_screen()
        if isinstance(self.screen, Main):
            self.screen.switch_engines()
        self.dispatcher.update_age_timer()

    def action_engine(self, step: int) -> None:
        """Switch to the next engine, or the previous one."""
        self.use(self.links[(self.links.index(self.link) + step) % len(self.links)])

    def action_engines(self) -> None:
        """List the engines."""
        from pyd_tui.dashboard.screens.engines import Engines  # noqa: PLC0415 - on first use

        if not isinstance(self.screen, Engines):
            self.push_screen(Engines())

    def measure(self) -> None:
        """Measure the containers that the top screen shows."""
        if screens := self.live_screens:
            targets = screens[-1].watched()
            for link in self.links:
                link.watch({target.id for target in targets if target.link is link}, ranked=screens[-1].ranks_usage)

    def open_view(self, name: str) -> None:
        """Open a view in place of the current one."""
        open_view(self, name)  # pyright: ignore[reportArgumentType] - see `exit`

    def open_output(self, argv: Sequence[str], title: str, environment: Mapping[str, str]) -> None:
        """Run a program, and show its output on a screen of its own."""
        from pyd_tui.dashboard.screens.output import Output  # noqa: PLC0415 - only for commands

        self.push_screen(Output(argv, title, environment))

    def open_file(self, target: RowTarget | None, path: str, data: bytes) -> None:
        """Show the beginning of a container's file on a screen of its own."""
        from pyd_tui.dashboard.screens.file import FileScreen  # noqa: PLC0415 - only for files

        self.push_screen(FileScreen(target, path, data))

    async def run_in_terminal(
        self, argv: Sequence[str], *, wait_on: frozenset[int] = frozenset(), env: Mapping[str, str] | None = None
    ) -> int:
        """Leave the terminal to a program, and return its exit code; see `run_outside`."""
        from pyd_tui.dashboard.actions.suspend import run_outside  # noqa: PLC0415 - only for programs

        return await run_outside(self, argv, wait_on=wait_on, env=env)

    def _failed(self, error: Exception) -> None:
        if isinstance(error, PydError):
            self.say(error.message, "bad", error.hint)
        else:
            self.say(f"internal error: {type(error).__name__}: {error}", "bad")

    def say(self, text: str, role: Role = "text", hint: str = "") -> None:
        """Show a message in the bottom line of the top screen."""
        for footer in self.screen.query(Footer):
            footer.say(text, role, hint)

    async def on_event(self, event: events.Event) -> None:
        """Clear messages at the next key, before its action runs."""
        if isinstance(event, events.Key):
            self._quit_guard.on_key()
            for footer in self.screen.query(Footer) if self.screen_stack else ():
                footer.clear()
        await super().on_event(event)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Write only what differs from what was written before."""
        if isinstance(renderable, ChopsUpdate):
            renderable = TightUpdate.of(renderable, self._written)
        elif isinstance(renderable, LayoutUpdate):
            renderable = FullUpdate.of(renderable, self._written)
        super()._display(screen, renderable)

    def _handle_exception(self, error: Exception) -> None:
        """Keep a bug for the caller of `run`, which reports it in one line; Textual would print a traceback."""
        self.bug = self.bug or error
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        self._close_messages_no_wait()

    @property
    def own_names(self) -> list[str]:
        """The names of the user's own commands."""
        return [command.name for command in self.keys.commands]

    # Actions of keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Treat keys as text while the user types."""
        typing = isinstance(self.focused, Prompt) and action != "leave"
        return not typing and super().check_action(action, parameters)

    def action_help(self) -> None:
        """Show all keys, first those of the top screen."""
        from pyd_tui.dashboard.screens.help import Help  # noqa: PLC0415 - on first use

        if isinstance(self.screen, Help):
            self.screen.dismiss()
        else:
            self.push_screen(Help([scope for footer in self.screen.query(Footer) for scope in footer.scopes]))

    def action_theme(self) -> None:
        """Switch to the next theme."""
        names = [palette.name for palette in PALETTES.values() if not palette.plain]
        if self.theme in names:
            self.set_theme(names[(names.index(self.theme) + 1) % len(names)].removeprefix(PREFIX))

    def set_theme(self, name: str) -> None:
        """Switch to a theme, and remember it.

        Raises:
            InvalidInput: No theme has this name, or colours are turned off.
        """
        self.theme = palette_named(name, colours=not (palette_of(self).plain and self.no_color)).name
        self.ui_state = replace(self.ui_state, theme=name)
        for screen in self.screen_stack:  # two themes in the terminal's own colours differ in no style of Textual's
            for widget in screen.query("*"):
                widget.refresh()
        self.say(f"theme {name}")

    def action_leave(self) -> None:
        """Quit from anywhere."""
        self.request_quit("^c")

    def request_quit(self, key: str = "q") -> None:
        """Quit, after asking to press the key again."""
        self._quit_guard.request(key)

    def action_undo(self) -> None:
        """Undo the last stop, kill, pause or start; else restore the container that was recreated last."""
        if not self.undo_bar.accept():
            self.container_actions.undo()

    def may_change(self, *links: EngineConnection) -> bool:
        """Return whether changes are allowed on these engines, by default on the current one; if not, show why.

        The core refuses each request in any case.
        """
        try:
            for link in links or (self.link,):
                if link.engine is not None:
                    link.engine.endpoint.require_writable()
        except PydError as error:
            self.say(error.message, "warn", error.hint)
            return False
        return True


if TYPE_CHECKING:

    def _as_host(app: Dashboard) -> ScreenHost:
        """Let type checkers verify that the app has what screens use."""
        return app  # pyright: ignore[reportReturnType] - see above
