"""Engines, swarms, layers and deaths; what isn't there yet; the dialogs that ask before something is done."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pyd_core.layers.content import LayerContent, stack_layers
from pyd_tui.dashboard.startup.startup_state import StartupState
from support.dashboard import opened
from support.scenes import in_sizes
from support.scripted_engine import ScriptedEngine
from support.scripted_resources import WEB, identity

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion


def shop() -> ScriptedEngine:
    engine = ScriptedEngine()
    project = {"com.docker.compose.project": "shop"}
    engine.add("shop-web-1", image=WEB, labels=project, health="healthy")
    engine.add("shop-db-1", image="postgres:16.4", labels=project)
    engine.add(
        "shop-worker-1", image="registry.example.com/shop/worker:2.14", labels=project, state="exited", exit_code=3
    )
    return engine


async def test_layers(picture: SnapshotAssertion):
    base = LayerContent("base", {"bin/sh": 120 << 10, **{f"usr/lib/lib{i}.so": 2 << 20 for i in range(60)}})
    packages = LayerContent(
        "apt", {"usr/bin/node": 94 << 20, "var/cache/apt/node.deb": 31 << 20, "usr/lib/lib7.so": 2 << 20}
    )
    app = LayerContent("app", {"app/server.js": 4 << 20}, removed={"var/cache/apt"})
    async with opened(shop()) as dashboard:
        await dashboard.until_shown("live")
        await dashboard.press("2")
        await dashboard.until_shown("inspects the layers")
        context = dashboard.app.load_contexts.get(dashboard.app.link)
        assert context is not None
        context.inside[f"sha256:{identity(WEB)}"] = stack_layers([base, packages, app])
        await dashboard.press("slash")
        await dashboard.type("web")
        await dashboard.press("enter", "F", "tab", "G")
        await dashboard.until_shown("Wasted")
        await in_sizes(dashboard, picture, "layers")


async def test_connecting(picture: SnapshotAssertion):
    engine = shop()
    engine.hold = asyncio.Event()
    async with opened(engine, size=(100, 24)) as dashboard:
        await dashboard.until_shown("connecting")
        await dashboard.at_rest(0.3)
        assert dashboard.svg == picture
        engine.hold.set()


async def test_nothing_passes_the_filter(picture: SnapshotAssertion):
    async with opened(shop(), size=(100, 24), beginning=StartupState(filter="nothing")) as dashboard:
        await dashboard.until_shown("0 of 3")
        await dashboard.at_rest(0.5)
        assert dashboard.svg == picture
