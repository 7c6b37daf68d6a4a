"""Every tab about a container in every size, and while it has nothing to show: waiting, failed, empty, gone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pyd_tui.dashboard.resources.container_tabs import TABS
from pyd_tui.dashboard.screens.detail import Detail
from support.dashboard import NOW_NS, opened
from support.scenes import SIZES, course, everything, fleet, in_sizes
from support.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion


async def test_sizes(picture: SnapshotAssertion):
    engine = everything()
    async with opened(engine) as dashboard:
        await dashboard.measured(engine)
        await dashboard.press("enter")
        await dashboard.until_shown("Process")
        for tab in TABS:
            if tab == "files":
                await dashboard.until_shown("~")
            await dashboard.settled(engine)
            if tab != "stats":  # has a test of its own, with a history to show
                await in_sizes(dashboard, picture, tab)
            await dashboard.resize(120, 40)
            await dashboard.press("tab")


async def test_stats(picture: SnapshotAssertion):
    engine = fleet()
    async with opened(engine) as dashboard:
        await dashboard.measured(engine)
        await dashboard.press("slash")
        await dashboard.type("web-1")
        await dashboard.press("enter", "enter")
        await dashboard.until_shown("Process")
        engine.now_ns = NOW_NS - 90 * 10**9
        engine.die("shop-web-1", 137)
        engine.now_ns = NOW_NS - 80 * 10**9
        engine.start("shop-web-1")
        await dashboard.until(lambda: len(dashboard.app.timeline.items) == 2)
        await dashboard.press("m")
        for columns, lines in SIZES:
            await dashboard.resize(columns, lines)
            await dashboard.settled(engine)
            course(dashboard, engine, "shop-web-1")
            screen = dashboard.app.screen
            assert isinstance(screen, Detail)
            screen.measured()
            await dashboard.pilot.pause()
            assert dashboard.svg == picture(name=f"{columns}x{lines}")


async def test_waiting_and_failed(picture: SnapshotAssertion):
    engine = ScriptedEngine()
    key = engine.add("web", image="registry.example.com/web:2")
    async with opened(engine, size=(80, 24)) as dashboard:
        await dashboard.measured(engine)
        engine.hold = asyncio.Event()
        await dashboard.press("enter")
        for tab in TABS:
            await dashboard.at_rest(0.1)
            assert dashboard.svg == picture(name=f"{tab}-waiting")
            await dashboard.press("tab")
        for what in ("json", "top", "changes"):
            engine.refusals[f"GET /containers/{key}/{what}"] = (500, "device or resource busy")
        engine.hold.set()
        for tab in TABS:
            await dashboard.at_rest(0.3)
            assert dashboard.svg == picture(name=f"{tab}-failed")
            await dashboard.press("tab")


async def test_empty_and_gone(picture: SnapshotAssertion):
    engine = ScriptedEngine()
    engine.add("web", image="registry.example.com/web:2", state="created")
    engine.documents |= {"*/top": {"Titles": ["PID", "CMD"], "Processes": []}, "*/changes": []}
    async with opened(engine, size=(80, 24)) as dashboard:
        await dashboard.measured(engine)
        await dashboard.press("enter")
        await dashboard.until_shown("Process")
        for tab in TABS:
            await dashboard.at_rest(0.3)
            assert dashboard.svg == picture(name=f"{tab}-empty")
            await dashboard.press("tab")
        engine.remove("web")
        await dashboard.until_shown("removed")
        await dashboard.at_rest(0.3)
        assert dashboard.svg == picture(name="gone")
