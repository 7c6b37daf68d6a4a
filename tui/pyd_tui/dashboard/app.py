"""The full-screen dashboard: owns the line to the engine, and hands what happens to the screens."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from textual import events
from textual._compositor import ChopsUpdate
from textual.app import App

from pyd_core.errors import InvalidInput, PydError
from pyd_core.fleet.delta import Delta
from pyd_core.logs.mark import Mark, mark_of
from pyd_core.sanitise import safe
from pyd_core.tasks import TaskOwner
from pyd_tui.config.reader import nearest
from pyd_tui.config.settings import Remembered
from pyd_tui.dashboard.ascii import Ascii
from pyd_tui.dashboard.beginning import Beginning
from pyd_tui.dashboard.jobs import Jobs
from pyd_tui.dashboard.keys import Keys
from pyd_tui.dashboard.link import Choose, Link, Open
from pyd_tui.dashboard.logbook import TAIL, Logbook
from pyd_tui.dashboard.marks import known_marks
from pyd_tui.dashboard.panels.events import Timeline
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.panels.logview import FRAME
from pyd_tui.dashboard.panels.views import Views
from pyd_tui.dashboard.render.figures import Clock
from pyd_tui.dashboard.render.pieces import Role
from pyd_tui.dashboard.screens.base import LiveScreen
from pyd_tui.dashboard.screens.main import Main
from pyd_tui.dashboard.screens.view import ViewScreen
from pyd_tui.dashboard.theme import PALETTES, PREFIX, Palette, palette_of, preferred
from pyd_tui.dashboard.update import TightUpdate
from pyd_tui.dashboard.view import View
from pyd_tui.dashboard.widgets.prompt import Prompt

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType
    from textual.filter import LineFilter
    from textual.screen import Screen
    from textual.timer import Timer

    from pyd_tui.dashboard.acting import Acting
    from pyd_tui.dashboard.errands import Errands
    from pyd_tui.dashboard.programs import Programs

LEAVING = 5.0
"""Seconds that ending connections may hold up the end."""

TAIL_MEMORY = 8 * 2**20
"""Bytes held of the log under the list; its own screen holds more."""


class Dashboard(App[None]):
    """Containers, live.

    Args:
        choose: Finds the engine's address.
        open: Makes a client of it; tests hand in their own.
        name: What the user calls it, where there are several.
        others: Names of further engines, and what finds their addresses; all are connected to at once.
        clock: Tells the time; tests hold it still.
        palette: Colours; by default what the settings and the environment ask for.
        beginning: The settings, and what to open.
        palette: Colours; by default what the environment asks for.
        history: Where deaths are written down while it is open; None is nowhere.
    """

    TITLE = "pyd"
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        choose: Choose,
        open: Open | None = None,
        *,
        name: str = "",
        others: Mapping[str, Choose] | None = None,
        clock: Clock | None = None,
        palette: Palette | None = None,
        beginning: Beginning | None = None,
        history: Path | None = None,
    ) -> None:
        self.beginning = beginning = beginning or Beginning()
        palette = palette or preferred(beginning.theme)
        super().__init__(ansi_color=palette.plain or None)
        self.jobs = Jobs(self._progressed)
        """What is going on that takes its time."""
        self.keys = Keys(beginning.settings.keys, beginning.settings.commands)
        """The keys that hold."""
        self.left = beginning.remembered
        """How it is left."""
        if self.keys.overrides:
            self.set_keymap(self.keys.overrides)
        self._ascii = [Ascii()] if beginning.ascii else []
        for known in PALETTES.values():
            self.register_theme(known.theme)
        self.theme = palette.name
        self.animation_level = "none"
        self.clock = clock or Clock()
        self._open = open
        self._history = history
        self.links: list[Link] = []
        """All engines; one of them is looked at."""
        self.link = self.add_engine(choose, name)
        for other, chooser in (others or {}).items():
            self.add_engine(chooser, other)
        self.tail = self._book(None)
        """The end of the log of the container under the cursor, followed."""
        self.tasks = TaskOwner(self._failed)
        self.bug: Exception | None = None
        """What ended it, if it wasn't the user."""
        self._log_timer: Timer | None = None
        self._stale_timer: Timer | None = None

    @cached_property
    def acting(self) -> Acting:
        """What is done to containers."""
        from pyd_tui.dashboard.acting import Acting  # noqa: PLC0415 - after the first picture

        return Acting(self)

    @cached_property
    def errands(self) -> Errands:
        """What is fetched for the user."""
        from pyd_tui.dashboard.errands import Errands  # noqa: PLC0415 - when it is wanted

        return Errands(self)

    @cached_property
    def programs(self) -> Programs:
        """Programs that are started for the user."""
        from pyd_tui.dashboard.programs import Programs  # noqa: PLC0415 - when it is wanted

        return Programs(self)

    def get_default_screen(self) -> Main:
        """The list of containers."""
        return Main()

    def on_mount(self) -> None:
        """Paints first, and only then looks for the engine."""
        self._log_timer = self.set_interval(FRAME, self._show_log, pause=True)
        self._stale_timer = self.set_interval(1.0, self._tick, pause=True)
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """Looks for the engine, and opens the view to begin with."""
        for link in self.links:
            link.start()
        beginning = self.beginning
        if beginning.trouble is not None:
            self.say(beginning.trouble.message, "bad", beginning.trouble.hint)
        elif self.keys.problems:
            self.say(self.keys.problems[0].message, "warn", "pyd config check tells all")
        if beginning.view == "containers":
            return
        from pyd_tui.dashboard.commands import parse  # noqa: PLC0415 - only where another view is wanted

        try:
            call = parse(beginning.view)
        except InvalidInput as error:
            self.say(error.message, "warn", error.hint)
            return
        if call.verb == "view":
            self.open_view(call.words[0])

    def exit(self, result: None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """Leaves, and notes how."""
        self.left = self._how()
        super().exit(result, return_code, message)

    def _how(self) -> Remembered:
        views = [screen for screen in self.screen_stack if isinstance(screen, ViewScreen)]
        if not views:
            return self.left
        view = views[0].table.view if isinstance(views[0], Main) else View()
        return replace(
            self.left,
            view=views[-1].view,
            sort=view.sort,
            living_only=view.living_only,
            broken_only=view.broken_only,
        )

    def _progressed(self) -> None:
        for footer in self.screen.query(Footer) if self.screen_stack else ():
            footer.renew()

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
        """The screens that want to know what happens, the one on top last."""
        return [screen for screen in self.screen_stack if isinstance(screen, LiveScreen) and screen.is_mounted]

    @property
    def timeline(self) -> Timeline:
        """What happened on the engine that is looked at."""
        return self.link.timeline

    def add_engine(self, choose: Choose, name: str) -> Link:
        """Adds an engine without connecting to it."""
        link = Link(choose, self._open, name=name)
        link.on_delta = lambda delta: self._changed(link, delta)
        link.on_usage = lambda: self._measured(link)
        link.judge.on_verdict = self._judged
        self.links.append(link)
        return link

    def use(self, link: Link) -> None:
        """Looks at another engine; the others go on being listened to, and none is measured."""
        link.start()
        if link is not self.link:
            self.link.watch(())
            self.link = link
            self.tasks.start(self.follow(None), name="log of nothing")
        while len(self.screen_stack) > 1:
            self.pop_screen()
        if isinstance(self.screen, Main):
            self.screen.turn(link)
        self._tell_age()

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
            self.link.watch(screens[-1].watched())

    def open_view(self, name: str) -> None:
        """Opens a view in the place of the one that is open; the containers lie below all others."""
        current = self.screen.view if isinstance(self.screen, ViewScreen) else ""
        if not current or name == current:
            return
        if name == "containers":
            self.pop_screen()
            return
        from pyd_tui.dashboard.nouns import NOUNS  # noqa: PLC0415 - after the first picture
        from pyd_tui.dashboard.nouns.base import Stock  # noqa: PLC0415 - as above
        from pyd_tui.dashboard.screens.browse import Browse  # noqa: PLC0415 - as above

        if self.link.stock is None:
            self.link.stock = Stock(self.link, self.clock)
        screen = Browse(NOUNS[name], self.link.stock)
        if current == "containers":
            self.push_screen(screen)
        else:
            self.switch_screen(screen)

    async def follow(self, key: str | None) -> None:
        """Follows a container's log from now on; None follows nothing."""
        before = self.tail
        if before.containers != ((key,) if key else ()) or (key and not before.reading):
            book = self.tail = self._book(key)
            await before.aclose()
            if book is not self.tail:
                return  # the cursor has moved on meanwhile
            await book.read(TAIL, self.known_marks(book.containers))
        self._show_log()

    def _book(self, key: str | None) -> Logbook:
        keys = (key,) if key else ()
        return Logbook(self.link.engine, keys, self.log_changed, self.clock.now, memory=TAIL_MEMORY, disk=0)

    def known_marks(self, keys: Sequence[str]) -> list[Mark]:
        """Returns what is known to have happened to containers so far, for their places in their log."""
        return known_marks(keys, self.timeline.items, self.link.containers)

    def _changed(self, link: Link, delta: Delta) -> None:
        happened = link.timeline.apply(delta)
        self._record(link)
        for views in self.screen.query(Views) if self.screen_stack else ():
            views.look()
        if link is not self.link:
            for screen in self.live_screens[-1:]:
                screen.elsewhere()
            return
        for event in delta.events:
            if (mark := mark_of(event)) is not None:
                self.tail.mark(mark)
        for screen in self.live_screens:
            screen.changed(delta, happened=happened)
        self._connection_changed()

    def _tell_age(self) -> None:
        """Has the age of what is shown told as long as it isn't current."""
        if self._stale_timer is not None:
            (self._stale_timer.resume if self.link.connection.state == "lost" else self._stale_timer.pause)()

    def _connection_changed(self) -> None:
        """Says once that the engine is lost, and why; from then on the age of what is shown has to be told."""
        connection, before = self.link.connection, self.link.told
        if connection.state == before:
            return
        self.link.told = connection.state
        self._tell_age()
        if connection.state == "lost" and connection.error is not None and self.link.containers:
            self.say(connection.error.message, "bad", connection.error.hint)
        elif connection.state == "live" and before == "lost":
            self.say("connected again", "good")

    def _record(self, link: Link) -> None:
        """Writes down the deaths on an engine from its first list on."""
        if self._history is not None and not link.recorded and link.connection.state == "live":
            from pyd_tui.dashboard.recording import record  # noqa: PLC0415 - after the first list

            link.recorded = True
            recording = record(link, self._history, lambda text: self.say(text, "warn"))
            self.tasks.start(recording, name="recording")

    def _measured(self, link: Link) -> None:
        for screen in self.live_screens[-1:] if link is self.link else ():
            screen.measured()

    def _judged(self) -> None:
        for screen in self.live_screens:
            screen.judged()

    def log_changed(self) -> None:
        """There is more of a log to show, at the next frame."""
        if self._log_timer is not None:
            self._log_timer.resume()

    def _show_log(self) -> None:
        if self._log_timer is not None:
            self._log_timer.pause()
        for screen in self.live_screens[-1:]:
            screen.logged()

    def _tick(self) -> None:
        for screen in self.live_screens[-1:]:
            screen.ticked()

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
        """Writes updates cut on both sides."""
        super()._display(screen, TightUpdate.of(renderable) if isinstance(renderable, ChopsUpdate) else renderable)

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
        if palette_of(self).plain and self.no_color:
            raise InvalidInput("NO_COLOR is set: there are no colours here", hint="unset it, and start again")
        if PREFIX + name not in PALETTES:
            known = [known.removeprefix(PREFIX) for known in PALETTES]
            raise InvalidInput(f"there is no theme {safe(name)}", hint=nearest(name, known))
        self.theme = PREFIX + name
        self.left = replace(self.left, theme=name)
        self.say(f"theme {name}")

    def action_leave(self) -> None:
        """Leaves."""
        self.exit()

    def may_change(self) -> bool:
        """Whether things may be changed; if not, says so. The core refuses each request anyway."""
        try:
            if self.link.engine is not None:
                self.link.engine.session.require_changes()
        except PydError as error:
            self.say(error.message, "warn", error.hint)
            return False
        return True

    async def enter_debug(self, key: str | None) -> None:
        """Leaves the terminal to a debug shell in a container, and comes back."""
        if key is None or not self.may_change():
            return
        from pyd_tui.dashboard.outside import OWN_FAILURES, command, run_outside  # noqa: PLC0415 - when it is wanted

        code = await run_outside(self, command(self.link.endpoint, "debug", key), wait_on=OWN_FAILURES)
        self.say(f"the debug shell ended with {code}", "good" if code == 0 else "warn")

    async def enter_shell(self, key: str | None) -> None:
        """Leaves the terminal to a container's own shell, if it has one."""
        entry, engine = self.link.containers.get(key or ""), self.link.engine
        if key is None or entry is None or engine is None or not self.may_change():
            return
        if entry.state != "running":
            self.say(f"{entry.name} is {entry.state}", "warn", "D opens a shell with tools in what is there")
            return
        from pyd_tui.dashboard.outside import command, find_shell, run_outside  # noqa: PLC0415 - when it is wanted

        shell = await find_shell(engine, key)
        if shell is None:
            self.say(f"{entry.name} has no shell", "warn", "D opens one that brings its own tools")
            return
        code = await run_outside(self, command(self.link.endpoint, "exec", "-it", key, shell))
        self.say(f"{shell} ended with {code}", "good" if code == 0 else "text")
