"""The engines are asked before there is an app to show what they say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from support.dashboard import BOUND, link_to, opened_on
from support.scripted_engine import ScriptedEngine


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(BOUND):
        while not condition():  # noqa: ASYNC110 - a link without a dashboard has nobody to tell
            await asyncio.sleep(0)


async def test_what_is_known_before_the_dashboard_is_there_is_in_its_first_picture():
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
        await dashboard.press("v")
        await dashboard.until_shown("exit 3")
        engine.start("web")
        await dashboard.until(lambda: link.containers[engine.get("web").id].alive)
        await dashboard.until_shown("2 events")
