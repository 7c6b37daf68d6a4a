"""The log screen in its states and sizes, as pictures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from pyd_tui.dashboard.screens.logs import LogScreen
from pyd_tui.dashboard.theme.palettes import DARK
from pyd_tui.dashboard.theme.styles import StylePalette
from support.dashboard import Opened, opened
from support.scenes import in_sizes
from support.scripted_engine import START_NS, ScriptedEngine

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

SHOP = {"com.docker.compose.project": "shop"}
SECOND = 10**9


def talk() -> ScriptedEngine:
    """A project whose parts talk: plain text, JSON, logfmt and colours."""
    engine = ScriptedEngine()
    for name in ("cache", "db", "web"):
        engine.add(f"shop-{name}", labels=SHOP, started_ns=START_NS - 3600 * SECOND)
    for number in range(20):
        start_ns = START_NS + number * 7 * SECOND
        say = engine.print
        say("shop-web", f'{{"level":"info","msg":"GET /api/items","status":200,"ms":{12 + number}}}', time_ns=start_ns)
        say(
            "shop-db", f"ts=10:0{number % 10} level=debug msg=checkpoint pages={number * 31}", time_ns=start_ns + SECOND
        )
        say("shop-cache", b"\x1b[32mOK\x1b[0m  evicted %d keys" % (number * 3), time_ns=start_ns + 2 * SECOND)
        if number % 6 == 4:
            text = '{"level":"error","msg":"upstream timed out","status":503,"service":"db","trace":{"id":"9f86d0"}}'
            say("shop-web", text, stderr=True, time_ns=start_ns + 3 * SECOND)
            say(
                "shop-db",
                "WARN  slow query: SELECT * FROM items " + "WHERE owner = $1 " * 9,
                time_ns=start_ns + 4 * SECOND,
            )
    engine.now_ns = START_NS + 200 * SECOND
    return engine


@asynccontextmanager
async def logs(
    *keys: str, size: tuple[int, int] = (120, 40), palette: StylePalette = DARK, engine: ScriptedEngine | None = None
) -> AsyncIterator[Opened]:
    """The log screen, opened by these keys, with all its lines."""
    engine = engine or talk()
    async with opened(engine, size=size, palette=palette) as dashboard:
        await dashboard.measured(engine)
        first, *others = keys
        await dashboard.press(first)
        await dashboard.until(lambda: isinstance(dashboard.app.screen, LogScreen))
        screen = dashboard.app.screen
        assert isinstance(screen, LogScreen)
        total = sum(len(engine.containers[key].log) for key in screen.keys)
        await dashboard.until(lambda: len(screen.book.store) == total)
        await dashboard.until(lambda: screen.book.shown.complete)
        await dashboard.settled(engine)
        await dashboard.press(*others)
        await dashboard.settled(engine)
        yield dashboard


async def test_project(picture: SnapshotAssertion):
    async with logs("L") as dashboard:
        await in_sizes(dashboard, picture, "lines")
        await dashboard.press("J", "W")
        await in_sizes(dashboard, picture, "columns")


async def test_filters_with_context(picture: SnapshotAssertion):
    async with logs("L", "ampersand") as dashboard:
        await dashboard.type("level>=warn")
        await dashboard.press("enter", "plus", "ampersand")
        await dashboard.type("!evicted")
        await dashboard.press("enter", "J")
        await dashboard.pilot.pause()
        assert dashboard.svg == picture


async def test_find_while_typing(picture: SnapshotAssertion):
    async with logs("L", "slash") as dashboard:
        await dashboard.press("ctrl+g", "ctrl+g")
        await dashboard.type("upstream.*5..")
        await dashboard.until_shown("of 3")
        assert dashboard.svg == picture


async def test_solo_selection_and_marks(picture: SnapshotAssertion):
    async with logs("L", "k", "S") as dashboard:
        await dashboard.press("space", "k", "k", "k", "space", "k", "v", "k", "k")
        assert dashboard.svg == picture


async def test_one_line(picture: SnapshotAssertion):
    async with logs("L", "slash") as dashboard:
        await dashboard.type("upstream")
        await dashboard.press("enter", "enter")
        await dashboard.until_shown("trace.id")
        assert dashboard.svg == picture


async def test_deaths_and_starts(picture: SnapshotAssertion):
    engine = talk()
    async with logs("l", engine=engine) as dashboard:
        engine.health("shop-cache", "unhealthy")
        engine.emit_of(engine.get("shop-cache"), "oom")
        engine.die("shop-cache", 137)
        await dashboard.until_shown("exit 137")
        engine.start("shop-cache")
        await dashboard.until_shown("started ──")
        await dashboard.until_shown("24 lines")
        assert dashboard.svg == picture


async def test_nothing_passes(picture: SnapshotAssertion):
    async with logs("l", "ampersand", size=(80, 24)) as dashboard:
        await dashboard.type("nothing says this")
        await dashboard.press("enter")
        await dashboard.until_shown("no line matches")
        assert dashboard.svg == picture


async def test_search(picture: SnapshotAssertion):
    engine = talk()
    engine.add("importer", state="exited", exit_code=1)
    engine.print("importer", f"{'.' * 90} gave up: the upstream timed out", time_ns=START_NS + 47 * SECOND)
    async with opened(engine) as dashboard:
        await dashboard.measured(engine)
        await dashboard.press("S")
        await dashboard.type("timed out|evicted 1[258]")
        await dashboard.press("ctrl+g", "ctrl+g")
        await in_sizes(dashboard, picture, "asked")
        await dashboard.press("enter")
        await dashboard.until_shown("all read")
        await in_sizes(dashboard, picture, "found")
        await dashboard.press("slash", "ctrl+u")
        await dashboard.type("no such thing")
        await dashboard.press("enter")
        await dashboard.until_shown("no line matches in")
        await in_sizes(dashboard, picture, "nothing")
