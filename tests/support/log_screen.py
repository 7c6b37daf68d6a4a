"""The dashboard's log screen, opened over a scripted engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pyd_tui.dashboard.logs.logbook import Logbook
from pyd_tui.dashboard.panels.logview import LogView
from pyd_tui.dashboard.screens.logs import LogScreen
from support.dashboard import Opened, opened
from support.scripted_engine import ScriptedEngine

SHOP = {"com.docker.compose.project": "shop"}


def shop() -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.add("shop-db", labels=SHOP)
    engine.add("shop-web", labels=SHOP)
    engine.add("other")
    return engine


def chatter(engine: ScriptedEngine, count: int = 100) -> None:
    for number in range(count):
        level = "error" if number % 10 == 3 else "info"
        engine.print("shop-db", f"level={level} msg=query n={number}")


class Log:
    """The log screen that is open."""

    def __init__(self, dashboard: Opened) -> None:
        self.dashboard = dashboard
        screen = dashboard.app.screen
        assert isinstance(screen, LogScreen)
        self.screen = screen

    @property
    def book(self) -> Logbook:
        return self.screen.book

    @property
    def view(self) -> LogView:
        return self.screen.view

    @property
    def shown(self) -> list[str]:
        """All lines that pass the filters, on the screen or not."""
        shown = self.book.shown
        return [self.text_of(shown.number(row)) for row in range(len(shown))]

    def text_of(self, number: int) -> str:
        return self.screen.panel.plain_text(self.book.store[number], time=False)

    @property
    def cursor(self) -> str:
        cursor = self.view.cursor
        return "" if cursor is None else self.text_of(cursor)

    async def lines(self, count: int) -> None:
        """Wait until so many lines are held."""
        await self.dashboard.until(lambda: len(self.book.store) == count)
        await self.dashboard.until(lambda: self.book.shown.complete)

    async def keep(self, text: str) -> None:
        await self.dashboard.press("ampersand")
        await self.dashboard.type(text)
        await self.dashboard.press("enter")
        await self.dashboard.until(lambda: self.book.shown.complete)

    async def find(self, text: str) -> None:
        await self.dashboard.press("slash")
        await self.dashboard.type(text)
        await self.dashboard.press("enter")
        await self.dashboard.until(lambda: self.book.search is not None and self.book.search.complete)
        await self.dashboard.pilot.pause()


@asynccontextmanager
async def log(engine: ScriptedEngine, *keys: str, size: tuple[int, int] = (120, 30)) -> AsyncIterator[Log]:
    async with opened(engine, size=size) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == len(engine.containers))
        await dashboard.press("slash")
        await dashboard.type("shop")
        await dashboard.press("enter", *(keys or ("l",)))
        await dashboard.until(lambda: isinstance(dashboard.app.screen, LogScreen))
        yield Log(dashboard)
