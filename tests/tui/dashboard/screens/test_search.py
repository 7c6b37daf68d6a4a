"""The search through the logs of all containers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pyd_tui.dashboard.screens.logs import LogScreen
from pyd_tui.dashboard.screens.search import SearchScreen
from pyd_tui.dashboard.theme.palettes import DARK
from support.dashboard import Opened, opened, several
from support.scripted_engine import START_NS, ScriptedEngine

if TYPE_CHECKING:
    import pytest

SECOND = 10**9


def shop() -> ScriptedEngine:
    """Return an engine with two running containers and an exited one, whose lines alternate."""
    engine = ScriptedEngine()
    engine.add("web")
    engine.add("db")
    engine.add("job", state="exited", exit_code=1)
    for number in range(30):
        engine.print("web", f"GET /items/{number} 200", time_ns=START_NS + number * SECOND)
    engine.print("web", "upstream Timed out: db", time_ns=START_NS + 40 * SECOND)
    engine.print("db", "checkpoint timed out", time_ns=START_NS + 20 * SECOND, stderr=True)
    engine.print("job", f"{'x' * 200} timed out at last", time_ns=START_NS + 60 * SECOND)
    return engine


def rows(dashboard: Opened) -> list[str]:
    """Return the names of the matches' containers, from the top."""
    screen = dashboard.app.screen
    assert isinstance(screen, SearchScreen)
    return [screen._results.hits[key].line.name for key in screen.table.keys] if screen._results else []


async def search(dashboard: Opened, text: str) -> None:
    await dashboard.press("S")
    await dashboard.type(text)
    await dashboard.press("enter")


async def test_a_search_finds_and_marks_matches_of_all_logs_in_order_of_time():
    async with opened(shop()) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await search(dashboard, "timed out")
        await dashboard.until_shown("3 lines in 3 of 3 containers  all read")
        assert rows(dashboard) == ["db", "web", "job"]
        assert "checkpoint timed out" in dashboard.text
        assert "CONTAINER" in dashboard.text
        assert "xxx timed out at last" in dashboard.text, "the match is in sight, however far to the right"
        ground = DARK.style("match").bgcolor
        strips = dashboard.app.screen._compositor.render_strips()
        marked = [segment for strip in strips for segment in strip if segment.style and segment.style.bgcolor == ground]
        assert [segment.text.casefold() for segment in marked] == ["timed out"] * 3


async def test_enter_opens_the_log_of_a_stopped_container_at_that_line():
    async with opened(shop()) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await search(dashboard, "timed out")
        await dashboard.until_shown("all read")
        await dashboard.press("G", "enter")
        await dashboard.until(lambda: isinstance(dashboard.app.screen, LogScreen))
        await dashboard.until_shown("around 22:14:20")
        screen = dashboard.app.screen
        assert isinstance(screen, LogScreen)
        await dashboard.until(lambda: screen.target is not None)
        assert dashboard.names([screen.target] if screen.target else []) == ["job"]
        await dashboard.press("q")
        assert rows(dashboard) == ["db", "web", "job"]
        await dashboard.press("escape")
        assert dashboard.shown == ["db", "web", "job"]


async def test_matches_are_listed_as_they_are_found_and_the_search_can_be_ended():
    engine = shop()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.until(lambda: all(entry.detailed for entry in dashboard.app.link.containers.values()))
        held = asyncio.Event()
        engine.hold_logs[engine.get("db").id] = held
        await search(dashboard, "timed out")
        await dashboard.until_shown("2 lines in 2 of 3 containers  searching, 2 read")
        assert rows(dashboard) == ["web", "job"]
        await dashboard.press("ctrl+k")
        await dashboard.until_shown("stopped: there may be more")
        held.set()
        await dashboard.at_rest(0.3)
        assert rows(dashboard) == ["web", "job"], "no request of it continues"
        await dashboard.press("slash", "enter")
        await dashboard.until_shown("3 lines in 3 of 3 containers  all read")


async def test_closing_the_screen_ends_the_search():
    engine = shop()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.until(lambda: all(entry.detailed for entry in dashboard.app.link.containers.values()))
        engine.hold_logs[engine.get("db").id] = asyncio.Event()
        await search(dashboard, "timed out")
        await dashboard.until_shown("searching")
        screen = dashboard.app.screen
        assert isinstance(screen, SearchScreen)
        assert screen._work is not None
        work = screen._work
        await dashboard.press("q")
        await dashboard.until(work.done)
        assert dashboard.app.screen is dashboard.app.screen_stack[0]


async def test_results_stay_within_their_stated_limit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pyd_tui.dashboard.logs.search_results.MAX_LINES", 5)
    async with opened(shop()) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await search(dashboard, "items")
        await dashboard.until_shown("5 lines in 1 of 3 containers  as many as are held: there may be more")
        assert rows(dashboard) == ["web"] * 5


async def test_a_key_switches_expressions_and_case_and_a_wrong_expression_is_reported():
    async with opened(shop()) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await search(dashboard, "Timed")
        await dashboard.until_shown("3 lines in 3 of 3")
        await dashboard.press("ctrl+g")
        await dashboard.until_shown("1 line in 1 of 3")
        await dashboard.press("ctrl+g", "slash", "ctrl+u")
        await dashboard.type("items/2[0-4]")
        await dashboard.press("enter")
        await dashboard.until_shown("5 lines in 1 of 3")
        await dashboard.press("slash")
        await dashboard.type("[")
        await dashboard.press("enter")
        assert dashboard.message.startswith("not a regular expression")


async def test_an_empty_result_is_reported_and_a_command_searches_immediately():
    async with opened(shop()) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.press("colon")
        await dashboard.type("search no such thing")
        await dashboard.press("enter")
        await dashboard.until_shown("no line matches in 3 containers")
        assert "CONTAINER" not in dashboard.text
        assert "no such thing" in dashboard.text


async def test_all_listed_engines_are_searched_and_a_lost_one_delays_nothing():
    far = ScriptedEngine()
    far.add("cache")
    far.print("cache", "timed out as well", time_ns=START_NS)
    async with several({"near": shop(), "far": far}) as dashboard:
        await dashboard.until(lambda: sum(len(link.containers) for link in dashboard.app.links) == 4)
        await dashboard.press("M")
        await search(dashboard, "timed out")
        await dashboard.until_shown("4 lines in 4 of 4 containers  1 can't be read  all read")
        assert rows(dashboard) == ["cache", "db", "web", "job"]
        assert "far" in dashboard.text


async def test_a_hostile_line_is_shown_escaped():
    engine = ScriptedEngine()
    engine.add("evil")
    engine.print("evil", "needle \x1b]0;owned\x07\u202e[red]x[/red]")
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: dashboard.shown == ["evil"])
        await search(dashboard, "needle")
        await dashboard.until_shown("1 line in 1 of 1")
        assert "[red]x[/red]" in dashboard.text
        assert not {"\x1b", "\x07", "\u202e"} & set(dashboard.text)
