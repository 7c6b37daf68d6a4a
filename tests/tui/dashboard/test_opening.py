"""The start of the dashboard: before the app is loaded, without an engine, and with a lost one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from pyd_core.client.endpoint import Endpoint
from pyd_core.errors import NoEngine
from support.dashboard import BOUND, dead, link_to, opened, opened_on, three
from support.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    import pytest


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(BOUND):
        while not condition():  # noqa: ASYNC110 - a connection without a dashboard has no listener
            await asyncio.sleep(0)


async def test_the_first_frame_shows_what_is_known_before_the_dashboard_starts():
    engine = ScriptedEngine()
    engine.add("db")
    engine.add("web")
    link = link_to(engine)
    link.start()
    await until(lambda: len(link.containers) == 2)
    engine.die("web", 3)
    await until(lambda: link.timeline.items)
    assert not [request for request in engine.requests if request.endswith("/json") and request.count("/") > 2]
    async with opened_on(link) as dashboard:
        assert dashboard.shown == ["db", "web"]
        assert {"db", "web"} <= set(dashboard.text.split())
        await dashboard.until(lambda: all(entry.detailed for entry in link.containers.values()))
        await dashboard.press("V")
        await dashboard.until_shown("exit 3")
        engine.start("web")
        await dashboard.until(lambda: link.containers[engine.get("web").id].has_processes)
        await dashboard.until_shown("2 events")


async def test_a_missing_engine_is_reported_to_a_dashboard_that_starts_later():
    link = link_to(ScriptedEngine(), dead)
    link.start()
    await until(lambda: link.connection.state == "lost")
    async with opened_on(link) as dashboard:
        await dashboard.until_shown("the line is cut")
        await dashboard.until(lambda: link.reported_state == "lost")


async def test_without_an_engine_it_shows_what_to_do_and_connects_once_one_starts(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("pyd_tui.dashboard.engines.connection.RETRY_INTERVAL_S", 0.01)
    engine, there = three(), False

    def choose() -> Endpoint:
        if not there:
            raise NoEngine("no engine was found", hint="start Docker or Podman, or name one with --host")
        return engine.engine().endpoint

    async with opened(engine, choose=choose) as dashboard:
        await dashboard.until_shown("no engine was found")
        assert "start Docker or Podman, or name one with --host" in dashboard.text
        there = True
        await dashboard.until_shown("exited 3")


async def test_a_view_opened_without_an_engine_forgets_its_error_once_one_answers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pyd_tui.dashboard.engines.connection.RETRY_INTERVAL_S", 0.01)
    engine, there = three(), False

    def choose() -> Endpoint:
        if not there:
            raise NoEngine("no engine was found")
        return engine.engine().endpoint

    async with opened(engine, choose=choose) as dashboard:
        await dashboard.until_shown("no engine was found")
        await dashboard.press("2")
        await dashboard.until(lambda: dashboard.message == "no engine answers yet")
        there = True
        await dashboard.until_shown("postgres:16.4")
        await dashboard.until(lambda: "no engine answers yet" not in dashboard.text)


async def test_a_lost_engine_dims_its_data_and_shows_its_age():
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.until_shown("live")
        engine.cut(down=True)
        await dashboard.until_shown("no engine")
        assert all(map(dashboard.table.is_stale, dashboard.table.keys))
        assert dashboard.shown == ["db", "web", "job"]
        engine.down = False
        await dashboard.until_shown("live")
        assert not any(map(dashboard.table.is_stale, dashboard.table.keys))
