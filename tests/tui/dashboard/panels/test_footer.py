"""The footer names the keys that apply to what has the focus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyd_tui.dashboard.screens.logs import LogScreen
from support.dashboard import Opened, opened, three
from support.log_screen import log, shop
from support.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from collections.abc import Sequence


def footer(dashboard: Opened) -> str:
    return dashboard.text.rstrip("\n").split("\n")[-1].strip()


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        (["slash"], "enter filter  esc cancel"),
        (["colon"], "enter run  tab complete  esc cancel"),
        (["S"], "enter search  ^g regex  esc cancel"),
        (["l", "slash"], "enter find  ^g regex  esc cancel"),
        (["l", "ampersand"], "enter filter  ^g regex  esc cancel"),
        (["i", "slash"], "enter find  esc cancel"),
    ],
)
async def test_a_prompt_has_its_own_keys_until_typing_ends(keys: Sequence[str], shown: str):
    async with opened(three()) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        for key in keys:
            await dashboard.press(key)
        await dashboard.until(lambda: footer(dashboard) == shown)
        await dashboard.press("escape")
        await dashboard.until(lambda: "esc cancel" not in footer(dashboard))


async def test_an_empty_engine_offers_the_demo_and_no_key_of_a_container():
    async with opened(ScriptedEngine()) as dashboard:
        await dashboard.until_shown("no containers yet")
        await dashboard.until(lambda: "d demo" in footer(dashboard))
        assert "enter open" not in footer(dashboard)
        assert "D debug" not in footer(dashboard)


async def test_the_tabs_of_a_stopped_container_offer_to_start_it():
    engine = ScriptedEngine()
    engine.add("job", state="exited", exit_code=1)
    async with opened(engine, size=(160, 30)) as dashboard:
        await dashboard.until(lambda: dashboard.shown == ["job"])
        await dashboard.press("enter")
        await dashboard.until(lambda: "r start" in footer(dashboard))
        assert "e exec" not in footer(dashboard)
        await dashboard.press("7")
        await dashboard.until(lambda: "K signal" not in footer(dashboard) and "r start" in footer(dashboard))


async def test_a_log_names_what_its_keys_do_next():
    engine = shop()
    engine.print("shop-db", "level=info msg=query")
    async with log(engine, size=(160, 30)) as it:
        assert isinstance(it.dashboard.app.screen, LogScreen)
        await it.lines(1)
        assert "W wrap  J raw" in footer(it.dashboard)
        assert "n N" not in footer(it.dashboard)
        await it.dashboard.press("W", "J")
        await it.find("query")
        await it.dashboard.until(lambda: "W cut  J fields" in footer(it.dashboard))
        assert "n N next" in footer(it.dashboard)
