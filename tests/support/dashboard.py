"""The dashboard without a terminal, over a scripted engine, with a clock that stands still."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.engine_client import EngineClient
from pyd_core.errors import NoEngine
from pyd_core.logs.line import LogLine
from pyd_tui.dashboard.app import Dashboard
from pyd_tui.dashboard.engines.connection import EngineConnection
from pyd_tui.dashboard.engines.target import RowTarget
from pyd_tui.dashboard.panels.containers import ContainerTable
from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.panels.header import Header
from pyd_tui.dashboard.render.figures import Clock
from pyd_tui.dashboard.screens.main import DEBOUNCE_S
from pyd_tui.dashboard.startup.startup_state import StartupState
from pyd_tui.dashboard.theme.palettes import DARK
from pyd_tui.dashboard.theme.styles import StylePalette
from support.scripted_engine import START_NS, ScriptedEngine

if TYPE_CHECKING:
    from textual.pilot import Pilot
    from textual.timer import Timer

NOW_NS = START_NS + 3 * 3600 * 10**9
"""Three hours after the scripted engine's clock began."""
AGING = 1.0
"""Seconds between the looks at a clock, which never end."""
BOUND = 120.0
"""Seconds a condition may take to come true before a test fails; a busy machine is slow, so no test asserts a time."""


TURNS = 100
"""Of the event loop, in which an answer of the scripted engine reaches the screen."""


def _is_once(timer: Timer) -> bool:
    """Return whether a timer of the dashboard is pending: those that defer work pause once it is done."""
    own = getattr(timer._callback, "__module__", "").startswith("pyd_tui.")
    return own and timer._interval < AGING and timer._active.is_set()


class Counting(Dashboard):
    """Counts what would have been written to a terminal."""

    painted = 0

    def _display(self, screen: object, renderable: object) -> None:
        self.painted += renderable is not None
        super()._display(screen, renderable)  # type: ignore[arg-type]


@dataclass
class Opened:
    """A dashboard that is open."""

    app: Counting
    pilot: Pilot[None]

    @property
    def table(self) -> ContainerTable:
        return self.app.screen_stack[0].query_one(ContainerTable)

    @property
    def shown(self) -> list[str]:
        """The names in the list, in order; what just went is still in it for a moment."""
        return self.names(self.table.keys)

    @property
    def marked(self) -> list[str]:
        """The names of what is marked, sorted."""
        return sorted(self.names(self.table.marked))

    @staticmethod
    def names(targets: Iterable[RowTarget]) -> list[str]:
        """Return the names of containers."""
        return [entry.name if (entry := target.entry) else "" for target in targets]

    @property
    def cursor(self) -> str:
        """The name under the cursor."""
        assert self.table.key is not None
        return self.names([self.table.key])[0]

    @property
    def text(self) -> str:
        """The text on the screen, without colours."""
        return "\n".join(strip.text for strip in self.app.screen._compositor.render_strips())

    @property
    def message(self) -> str:
        """The text of the bottom line."""
        return self.app.screen.query_one(Footer).message

    @property
    def svg(self) -> str:
        """The screen as a picture, without the ids that differ between two drawings of the same."""
        return re.sub(r"terminal-\d+", "terminal", self.app.export_screenshot(title="pyd"))

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def resize(self, columns: int, lines: int) -> None:
        """Change the terminal's size, and wait until the screen has been laid out for it."""
        await self.pilot.resize_terminal(columns, lines)
        await self.until(lambda: self.app.screen.size == (columns, lines))
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        await self.press(*(character if character != "!" else "exclamation_mark" for character in text))

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is so."""
        try:
            async with asyncio.timeout(BOUND):
                while not condition():
                    await self.pilot.pause(0.01)
        except TimeoutError:
            raise AssertionError(f"it never came true; the screen:\n{self.text}") from None

    async def until_shown(self, text: str) -> None:
        """Wait until a text is on the screen."""
        await self.until(lambda: text in self.text)

    async def settled(self, scripted: ScriptedEngine) -> None:
        """Wait until the log of the container under the cursor is there in full, and nothing is painted any more."""
        if (key := self.table.key) is not None:
            await self.until(lambda: self._holds(key.id, len(scripted.containers[key.id].log)))
        await self.at_rest(2 * DEBOUNCE_S)

    async def at_rest(self, seconds: float) -> None:
        """Wait until nothing was painted for a while, and nothing is still to come.

        The time alone decides nothing: on a busy machine what the dashboard has put off may come later than that.
        """
        painted = -1
        while painted != self.app.painted or self._is_due():
            painted = self.app.painted
            await self.pilot.pause(seconds)
            for _ in range(TURNS):  # work that a timer has begun continues turn by turn: the engine is in this process
                await asyncio.sleep(0)
            await self.pilot.pause()

    def _is_due(self) -> bool:
        """Return whether the dashboard has deferred work: marks of the log, details of a row, a frame."""
        pumps = (
            self.app,
            *(widget for screen in self.app.screen_stack for widget in screen.walk_children(with_self=True)),
        )
        timers = [timer for pump in pumps for timer in pump._timers]
        return self.app.tail.book._flush is not None or any(map(_is_once, timers))

    def _holds(self, key: str, lines: int) -> bool:
        """Return whether the log of a container is complete, with its pending marks."""
        tail = self.app.tail.book
        held = sum(isinstance(item, LogLine) for _, item in tail.store.scan(tail.store.first))
        return tail.containers == (key,) and held == lines and tail._flush is None

    async def measured(self, scripted: ScriptedEngine) -> None:
        """Wait until all is known, and give every container on screen its figures, the same in every run."""
        link = self.app.link
        await self.until(lambda: link.engine_name and len(self.table.keys) == len(scripted.containers))
        await self.until(lambda: all(entry.detailed for entry in link.containers.values()))
        living = sorted(target.id for target in self.table.worth_measuring())
        await self.until(lambda: set(link.usage) >= set(living))
        for number, key in enumerate(living, 1):
            scripted.sample(key, cpu_ns=number * number * 27_000_000, memory=number * 53 << 20)
        await self.until(lambda: all(link.usage[key].cpu_percent is not None for key in living))
        self.table.on_measured()
        await self.settled(scripted)

    def freeze_age(self) -> None:
        """Cut the connection for twelve seconds."""
        link = self.app.link
        lost = replace(link.connection, since_ns=NOW_NS - 12 * 10**9)
        if link.watcher is None:
            link._startup_state = lost
        else:
            link.watcher._connection = lost
        self.app.screen.query_one(Header).update_content()


@asynccontextmanager
async def opened(
    scripted: ScriptedEngine,
    *,
    size: tuple[int, int] = (120, 40),
    choose: Callable[[], Endpoint] | None = None,
    palette: StylePalette = DARK,
    beginning: StartupState | None = None,
) -> AsyncIterator[Opened]:
    """Open the dashboard and wait for its first picture; the engine may still be silent."""
    async with opened_on(link_to(scripted, choose), size=size, palette=palette, beginning=beginning) as dashboard:
        yield dashboard


def link_to(scripted: ScriptedEngine, choose: Callable[[], Endpoint] | None = None) -> EngineConnection:
    """Make a link to a scripted engine, not started yet."""
    endpoint = scripted.engine().endpoint
    return EngineConnection(choose or (lambda: endpoint), lambda endpoint: EngineClient(endpoint, scripted))


@asynccontextmanager
async def opened_on(
    *links: EngineConnection,
    size: tuple[int, int] = (120, 40),
    palette: StylePalette = DARK,
    beginning: StartupState | None = None,
) -> AsyncIterator[Opened]:
    """Open the dashboard on links, and wait for its first picture."""
    app = Counting(links, clock=Clock(now=lambda: NOW_NS, zone=UTC), palette=palette, startup=beginning)
    async with app.run_test(size=size) as pilot:
        yield Opened(app, pilot)


def three() -> ScriptedEngine:
    """Return an engine with a container in a project, one without a project, and one that has failed."""
    engine = ScriptedEngine()
    engine.add("web", image="shop/web:2", labels={"com.docker.compose.project": "shop"}, memory_limit=64 << 20)
    engine.add("db", image="postgres:16")
    engine.add("job", state="exited", exit_code=3)
    return engine


def dead() -> Endpoint:
    raise NoEngine("the line is cut", hint="mend it")


@asynccontextmanager
async def several(
    engines: dict[str, ScriptedEngine],
    *,
    size: tuple[int, int] = (120, 30),
    dead_too: bool = True,
    beginning: StartupState | None = None,
) -> AsyncIterator[Opened]:
    """A dashboard on these engines and a dead one."""
    by_url = {f"tcp://{name}.invalid:2375": engine for name, engine in engines.items()}
    choosers: dict[str, Callable[[], Endpoint]] = {
        name: partial(Endpoint, url=f"tcp://{name}.invalid:2375") for name in engines
    }
    if dead_too:
        choosers["dead"] = dead
    links = [
        EngineConnection(choose, lambda endpoint: EngineClient(endpoint, by_url[endpoint.url]), name=name)
        for name, choose in choosers.items()
    ]
    async with opened_on(*links, size=size, beginning=beginning) as dashboard:
        yield dashboard
