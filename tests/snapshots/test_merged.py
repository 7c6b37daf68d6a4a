"""The containers of all engines in one list, as pictures: all well, and one of them lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pyd_tui.dashboard.engines.connection import EngineConnection
from support.dashboard import NOW_NS, Opened, several
from support.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

SIZES = pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=lambda size: "x".join(map(str, size)))
SHOP = {"com.docker.compose.project": "shop"}


def fleets() -> dict[str, ScriptedEngine]:
    local, prod = ScriptedEngine(), ScriptedEngine()
    local.add("shop-web", image="shop/web:dev", labels=SHOP)
    local.add("shop-db", image="postgres:16", labels=SHOP)
    local.add("scratch", image="busybox", state="exited", exit_code=0)
    prod.add("shop-web", image="shop/web:2.4", labels=SHOP)
    prod.add("shop-db", image="postgres:16", labels=SHOP, health="unhealthy")
    prod.add("backup", image="restic:0.16", state="exited", exit_code=1)
    local.print("shop-db", "database system is ready to accept connections")
    prod.print("shop-db", "connection refused by 10.0.0.7")
    return {"local": local, "prod-1": prod}


async def measure(dashboard: Opened, link: EngineConnection, engine: ScriptedEngine) -> None:
    """Wait until an engine's running containers have two samples."""
    running = sorted(entry.id for entry in link.containers.values() if entry.has_processes)
    await dashboard.until(lambda: set(link.usage) >= set(running))
    for number, key in enumerate(running, 1):
        engine.sample(key, cpu_ns=number * number * 27_000_000, memory=number * 53 << 20)
    await dashboard.until(lambda: all(link.usage[key].cpu_percent is not None for key in running))


async def together(dashboard: Opened, engines: dict[str, ScriptedEngine]) -> None:
    """Merge them, with a mark on a row of each, and the log of the first row below."""
    await dashboard.until(lambda: all(len(link.containers) == 3 for link in dashboard.app.links))
    await dashboard.until(
        lambda: all(entry.detailed for link in dashboard.app.links for entry in link.containers.values())
    )
    await dashboard.until(lambda: all(link.engine_name not in {"", "engine"} for link in dashboard.app.links))
    await dashboard.press("M")
    await dashboard.until(lambda: len(dashboard.table.keys) == 6 and dashboard.table.was_seen)
    await dashboard.press("space", "space", "g")
    for link, engine in zip(dashboard.app.links, engines.values(), strict=True):
        await measure(dashboard, link, engine)
    dashboard.table.on_measured()
    await dashboard.until_shown("ready to accept")


@SIZES
async def test_merged(picture: SnapshotAssertion, size: tuple[int, int]):
    engines = fleets()
    async with several(engines, size=size, dead_too=False) as dashboard:
        await together(dashboard, engines)
        await dashboard.at_rest(0.3)
        assert dashboard.svg == picture


@SIZES
async def test_merged_with_a_lost_one(picture: SnapshotAssertion, size: tuple[int, int]):
    engines = fleets()
    async with several(engines, size=size, dead_too=False) as dashboard:
        await together(dashboard, engines)
        engines["prod-1"].cut(down=True)
        fleet = dashboard.app.links[1].watcher
        assert fleet is not None
        await dashboard.until_shown("no engine answers")
        fleet._connection = replace(fleet.connection, since_ns=NOW_NS - 95 * 10**9)
        await dashboard.press("j")
        await dashboard.at_rest(0.3)
        assert dashboard.svg == picture
