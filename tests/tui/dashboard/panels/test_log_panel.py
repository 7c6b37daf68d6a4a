"""The log next to other panels has every key of the log screen."""

from __future__ import annotations

import pytest

from pyd_tui.dashboard.panels.log_panel import LogPanel
from pyd_tui.dashboard.screens.detail import Detail
from pyd_tui.dashboard.screens.line import LineScreen
from pyd_tui.dashboard.screens.logs import LogScreen
from pyd_tui.dashboard.screens.main import Main
from support.dashboard import NOW_NS, Opened, opened
from support.log_screen import chatter, shop

LOGS = ("the pane", "the Logs tab", "the log screen")


async def open_log(dashboard: Opened, log_name: str) -> LogPanel:
    await dashboard.until(lambda: len(dashboard.shown) == 3)
    await dashboard.press("slash")
    await dashboard.type("shop-db")
    await dashboard.press("enter")
    await dashboard.until(lambda: dashboard.app.tail.book.reading)
    await dashboard.press(*{"the pane": ("tab",), "the Logs tab": ("enter", "l"), "the log screen": ("l",)}[log_name])
    screen = {"the pane": Main, "the Logs tab": Detail, "the log screen": LogScreen}[log_name]
    await dashboard.until(lambda: isinstance(dashboard.app.screen, screen))
    panel = dashboard.app.screen.query_one(LogPanel)
    await dashboard.until(lambda: len(panel.book.store) == 100 and dashboard.app.focused is panel.view)
    return panel


@pytest.mark.parametrize("log_name", LOGS)
async def test_filters_by_text_and_by_a_value_are_removed_one_by_one(log_name: str):
    engine = shop()
    chatter(engine)
    async with opened(engine) as dashboard:
        panel = await open_log(dashboard, log_name)
        await dashboard.press("ampersand")
        await dashboard.type("level>=warn")
        await dashboard.press("enter")
        await dashboard.until(lambda: panel.book.shown.complete and len(panel.book.shown) == 10)
        await dashboard.until_shown("&level>=warn")
        await dashboard.press("equals_sign", "tab", "enter")
        await dashboard.until(lambda: len(panel.book.shown.filters.stack) == 2)
        await dashboard.press("backspace", "escape")
        await dashboard.until(lambda: not panel.book.shown.filters)
        assert dashboard.app.focused is panel.view


@pytest.mark.parametrize("log_name", LOGS)
async def test_lines_are_found_marked_opened_and_shown_raw(log_name: str):
    engine = shop()
    chatter(engine)
    async with opened(engine) as dashboard:
        panel = await open_log(dashboard, log_name)
        await dashboard.press("slash")
        await dashboard.type("n=42")
        await dashboard.press("enter")
        await dashboard.until(
            lambda: panel.item is not None and panel.plain_text(panel.item, time=False)[-4:] == "n=42"
        )
        await dashboard.press("space", "j", "space")
        assert len(panel.view.marked) == 2
        await dashboard.press("J")
        assert not panel.view.log_style.columns
        await dashboard.press("enter")
        await dashboard.until(lambda: isinstance(dashboard.app.screen, LineScreen))


@pytest.mark.parametrize("log_name", ["the pane", "the Logs tab"])
async def test_a_part_of_the_log_is_chosen_from_a_menu_and_the_log_fills_the_screen(log_name: str):
    engine = shop()
    chatter(engine)
    engine.print("shop-db", "just now", time_ns=NOW_NS - 10 * 10**9)
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.press("slash")
        await dashboard.type("shop-db")
        await dashboard.press("enter", *(("tab",) if log_name == "the pane" else ("enter", "l")))
        panel = dashboard.app.screen.query_one(LogPanel)
        await dashboard.until(lambda: len(panel.book.store) == 101)
        await dashboard.press("comma")
        await dashboard.until_shown("of the last minute")
        await dashboard.press("2")
        await dashboard.until(lambda: len(panel.book.store) == 1)
        await dashboard.until_shown("1m  1 line")
        await dashboard.press("z")
        await dashboard.until(lambda: isinstance(dashboard.app.screen, LogScreen))


async def test_the_keys_of_the_log_are_in_the_footer_while_the_pane_has_the_focus():
    engine = shop()
    chatter(engine)
    async with opened(engine) as dashboard:
        await open_log(dashboard, "the pane")
        await dashboard.until_shown("& filter")
        await dashboard.press("tab")
        await dashboard.until_shown("! broken")


async def test_a_search_in_a_log_that_grows_goes_to_the_newest_match():
    engine = shop()
    chatter(engine)
    async with opened(engine) as dashboard:
        panel = await open_log(dashboard, "the log screen")
        await dashboard.press("slash")
        await dashboard.type("error")
        engine.print("shop-db", "level=info msg=later n=100")
        await dashboard.until(lambda: len(panel.book.store) == 101)
        await dashboard.press("enter")
        await dashboard.until(lambda: not panel.view.following)
        assert panel.item is not None
        assert panel.plain_text(panel.item, time=False).endswith("n=93")
