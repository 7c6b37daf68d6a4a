"""The full-screen dashboard: owns the line to the engine, and hands what happens to the screens."""

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
from pyd_tui.dashboard.actions.job_progress import Jobs
from pyd_tui.dashboard.engines.event_dispatcher import EventDispatcher
from pyd_tui.dashboard.input.key_bindings import Keys
from pyd_tui.dashboard.logs.log_tail import LogTail
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.panels.views import Views
from pyd_tui.dashboard.render.figures import Clock
from pyd_tui.dashboard.render.pieces import Role
from pyd_tui.dashboard.screens.base import LiveScreen
from pyd_tui.dashboard.screens.main import Main
from pyd_tui.dashboard.startup.navigation import begin, capture_state, open_view
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

LEAVING = 5.0
"""Seconds that ending connections may hold up the end."""


class Dashboard(App[None]):
    """Containers, live.

    Args:
        links: The lines to the engines, started or not; the first is looked at.
        clock: Tells the time; tests hold it still.
        palette: Colours; by default what the settings and the environment ask for.
        beginning: The settings, and what to open.
        history: Where deaths are written down while it is open; None is nowhere.
    """

    TITLE = "pyd"
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        links: Sequence[EngineConnection],
        *,
        clock: Clock | None = None,
        palette: StylePalette | None = None,
        beginning: StartupState | None = None,
        history: Path | None = None,
    ) -> None:
        self.beginning = beginning = beginning or StartupState()
        palette = palette or preferred(beginning.theme)
        super().__init__(ansi_color=palette.plain or None)
        self.jobs = Jobs(self._progressed)
        """What is going on that takes its time."""
        self.keys = Keys(beginning.settings.keys, beginning.settings.commands)
        """The keys that hold."""
        self.left = beginning.remembered
        """How it is left."""
        self.set_keymap(self.keys.overrides)
        self._ascii = [Ascii()] if beginning.ascii else []
        for known in PALETTES.values():
            self.register_theme(known.theme)
        self.theme = palette.name
        self.animation_level = "none"
        self.clock = clock or Clock()
        self._written = TerminalContents()
        self.news = EventDispatcher(self, history)
        self.links = [*links]
        """All engines; one of them is looked at, or all as one."""
        self.link = self.links[0]
        self.merged = beginning.merged and len(self.links) > 1
        """Whether the containers of all engines are in one list."""
        self.tail = LogTail(self.clock.now, self._logged)
        """The end of the log of the container under the cursor, followed."""
        self.tasks = TaskOwner(self._failed)
        self.bug: Exception | None = None
        """What ended it, if it wasn't the user."""
        self.load_contexts: dict[EngineConnection, LoadContext] = {}
        """What the views of each engine have loaded, once one was opened."""

    @cached_property
    def acting(self) -> ContainerActions:
        """What is done to containers."""
        from pyd_tui.dashboard.actions.container_actions import ContainerActions  # noqa: PLC0415 - after the first picture

        return ContainerActions(self)

    @cached_property
    def errands(self) -> Transfers:
        """What is fetched for the user."""
        from pyd_tui.dashboard.actions.transfers import Transfers  # noqa: PLC0415 - when it is wanted

        return Transfers(self)

    @cached_property
    def programs(self) -> ExternalCommands:
        """Programs that are started for the user."""
        from pyd_tui.dashboard.actions.external_commands import ExternalCommands  # noqa: PLC0415 - when it is wanted

        return ExternalCommands(self)

    def get_default_screen(self) -> Main:
        """The list of containers."""
        return Main()

    def on_mount(self) -> None:
        """Paints first what is known by then, and only then listens to the engines."""
        self.tail.start_frames(self)
        self.news.begin()
        self.call_after_refresh(begin, self)

    def exit(self, result: None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """Leaves, and notes how."""
        self.left = capture_state(self)
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

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Adds ASCII where the terminal knows no more."""
        return [*super().get_line_filters(), *self._ascii]

    async def on_unmount(self) -> None:
        """Ends everything that runs; what an engine doesn't let go of within `LEAVING` isn't waited for."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVING):
                await self.tasks.aclose()
                await self.tail.aclose()
                await asyncio.gather(*(link.aclose() for link in self.links))

    # What happens

    @property
    def live_screens(self) -> list[LiveScreen]:
        """The screens that want to know what happens, the one on top last; at the end, while they go, none."""
        stack = self.screen_stack if self.is_running else []
        return [screen for screen in stack if isinstance(screen, LiveScreen) and screen.is_mounted]

    @property
    def in_sight(self) -> list[EngineConnection]:
        """The engines whose containers are listed."""
        return self.links if self.merged else [self.link]

    @property
    def timeline(self) -> Timeline:
        """What happened on the engine that is looked at."""
        return self.link.timeline

    def add_engine(self, choose: Choose, name: str) -> EngineConnection:
        """Adds an engine without connecting to it."""
        link = self.link.beside(choose, name)
        link.listen(self.news)
        self.links.append(link)
        return link

    def use(self, link: EngineConnection) -> None:
        """Looks at another engine alone; the others go on being listened to, and none is measured."""
        link.start()
        if link is not self.link:
            self.link = link
            self.tasks.start(self.tail.follow(None), name="log of nothing")
        self._turn(merged=False)

    def action_merge(self) -> None:
        """Lists the containers of all engines as one, or those of one of them again."""
        if len(self.links) < 2:
            self.say("there is no other engine", "warn", "E lists docker's contexts; pyd -H … -H … opens several")
            return
        self._turn(merged=not self.merged)
        self.left = replace(self.left, merged=self.merged)

    def _turn(self, *, merged: bool) -> None:
        """Goes back to the containers, of all engines or of the one that is looked at."""
        self.merged = merged
        while len(self.screen_stack) > 1:
            self.pop_screen()
        if isinstance(self.screen, Main):
            self.screen.turn()
        self.news.tell_age()

    def action_engine(self, step: int) -> None:
        """Looks at the next engine, or the one before."""
        self.use(self.links[(self.links.index(self.link) + step) % len(self.links)])

    def action_engines(self) -> None:
        """Lists the engines."""
        from pyd_tui.dashboard.screens.engines import Engines  # noqa: PLC0415 - when somebody asks

        if not isinstance(self.screen, Engines):
            self.push_screen(Engines())

    def measure(self) -> None:
        """Has measured what the screen on top shows."""
        if screens := self.live_screens:
            wanted = screens[-1].watched()
            for link in self.links:
                link.watch({target.id for target in wanted if target.link is link})

    def open_view(self, name: str) -> None:
        """Opens a view in the place of the one that is open."""
        open_view(self, name)

    def open_output(self, argv: Sequence[str], title: str, environment: Mapping[str, str]) -> None:
        """Run a program, and show its output on a screen of its own."""
        from pyd_tui.dashboard.screens.output import Output  # noqa: PLC0415 - only for commands

        self.push_screen(Output(argv, title, environment))

    def open_file(self, target: RowTarget, path: str, data: bytes) -> None:
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
        """Shows a message in the bottom line of the screen on top."""
        for footer in self.screen.query(Footer):
            footer.say(text, role, hint)

    async def on_event(self, event: events.Event) -> None:
        """Takes messages away at the next key, before the key does what it does."""
        if isinstance(event, events.Key):
            for footer in self.screen.query(Footer) if self.screen_stack else ():
                footer.clear()
        await super().on_event(event)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Writes what differs from what was written."""
        if isinstance(renderable, ChopsUpdate):
            renderable = TightUpdate.of(renderable, self._written)
        elif isinstance(renderable, LayoutUpdate):
            renderable = FullUpdate.of(renderable, self._written)
        super()._display(screen, renderable)

    def _handle_exception(self, error: Exception) -> None:
        """Textual would print a traceback; the caller of `run` says what happened in one line instead."""
        self.bug = self.bug or error
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        self._close_messages_no_wait()

    @property
    def own_names(self) -> list[str]:
        """What the user's own commands are called."""
        return [command.name for command in self.keys.commands]

    # What keys do

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While something is typed, keys are text."""
        typing = isinstance(self.focused, Prompt) and action != "leave"
        return not typing and super().check_action(action, parameters)

    def action_help(self) -> None:
        """Shows all keys."""
        from pyd_tui.dashboard.screens.help import Help  # noqa: PLC0415 - when somebody asks

        if isinstance(self.screen, Help):
            self.screen.dismiss()
        else:
            self.push_screen(Help())

    def action_theme(self) -> None:
        """The next theme."""
        names = [palette.name for palette in PALETTES.values() if not palette.plain]
        if self.theme in names:
            self.set_theme(names[(names.index(self.theme) + 1) % len(names)].removeprefix(PREFIX))

    def set_theme(self, name: str) -> None:
        """Shows another theme, and remembers it.

        Raises:
            InvalidInput: There is none of this name, or the terminal shall have no colours.
        """
        self.theme = palette_named(name, colours=not (palette_of(self).plain and self.no_color)).name
        self.left = replace(self.left, theme=name)
        for screen in self.screen_stack:  # two themes in the terminal's own colours differ in no style of Textual's
            for widget in screen.query("*"):
                widget.refresh()
        self.say(f"theme {name}")

    def action_leave(self) -> None:
        """Leaves."""
        self.exit()

    def may_change(self, *links: EngineConnection) -> bool:
        """Whether things may be changed on some engines, by default the one that is looked at; if not, says so.

        The core refuses each request anyway.
        """
        try:
            for link in links or (self.link,):
                if link.engine is not None:
                    link.engine.api.require_writable()
        except PydError as error:
            self.say(error.message, "warn", error.hint)
            return False
        return True


if TYPE_CHECKING:

    def _as_host(app: Dashboard) -> ScreenHost:
        """Have type checkers hold the app to what screens use of it."""
        return app
