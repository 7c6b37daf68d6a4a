"""Engines, swarms, layers and deaths; what isn't there yet; the dialogs that ask before something is done."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from pyd_core.fleet.history_store import Death, HistoryStore, Point
from pyd_core.layers.content import Layer, pile
from pyd_core.triage.verdict import Verdict
from pyd_tui.dashboard.beginning import Beginning
from support.dashboard import Opened, opened, several
from support.scripted_engine import START_NS, ScriptedEngine
from support.scripted_swarm import HEADERS, SWARM
from support.scripted_things import WEB, identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest
    from syrupy.assertion import SnapshotAssertion

SIZES = ((120, 40), (80, 24), (60, 20))


def shop() -> ScriptedEngine:
    engine = ScriptedEngine()
    project = {"com.docker.compose.project": "shop"}
    engine.add("shop-web-1", image=WEB, labels=project, health="healthy")
    engine.add("shop-db-1", image="postgres:16.4", labels=project)
    engine.add(
        "shop-worker-1", image="registry.example.com/shop/worker:2.14", labels=project, state="exited", exit_code=3
    )
    return engine


def swarm() -> ScriptedEngine:
    engine = shop()
    engine.headers |= HEADERS
    engine.documents |= SWARM
    return engine


async def in_sizes(dashboard: Opened, picture: SnapshotAssertion, name: str, sizes: Sequence[tuple[int, int]] = SIZES):
    for columns, lines in sizes:
        await dashboard.pilot.resize_terminal(columns, lines)
        await dashboard.at_rest(0.5)
        assert dashboard.svg == picture(name=f"{name}-{columns}x{lines}")


async def test_engines(picture: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    folder = tmp_path / "contexts/meta/x"
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text(
        '{"Name":"staging","Endpoints":{"docker":{"Host":"ssh://deploy@staging.invalid"}}}'
    )
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    far = ScriptedEngine()
    far.add("db")
    far.add("job", state="exited", exit_code=1)
    async with several({"near": shop(), "far": far}, size=(120, 40)) as dashboard:
        await dashboard.until_shown("far ✗1")
        await in_sizes(dashboard, picture, "tabs")
        await dashboard.press("E")
        await dashboard.until_shown("not connected")
        await in_sizes(dashboard, picture, "list")


async def test_swarm(picture: SnapshotAssertion):
    async with opened(swarm()) as dashboard:
        await dashboard.until_shown("Services")
        for digit, name, shown in (
            ("7", "services", "Tasks"),
            ("8", "tasks", "78"),
            ("9", "nodes", "10.0.0.13"),
            ("0", "stacks", "shop"),
        ):
            await dashboard.pilot.resize_terminal(120, 40)
            await dashboard.press(digit)
            await dashboard.until_shown(shown)
            await in_sizes(dashboard, picture, name)


async def test_layers(picture: SnapshotAssertion):
    base = Layer("base", {"bin/sh": 120 << 10, **{f"usr/lib/lib{at}.so": 2 << 20 for at in range(60)}})
    packages = Layer("apt", {"usr/bin/node": 94 << 20, "var/cache/apt/node.deb": 31 << 20, "usr/lib/lib7.so": 2 << 20})
    app = Layer("app", {"app/server.js": 4 << 20}, removed={"var/cache/apt"})
    async with opened(shop()) as dashboard:
        await dashboard.until_shown("live")
        await dashboard.press("2")
        await dashboard.until_shown("looks into the layers")
        stock = dashboard.app.link.stock
        assert stock is not None
        stock.inside[f"sha256:{identity(WEB)}"] = pile([base, packages, app])
        await dashboard.press("slash")
        await dashboard.type("web")
        await dashboard.press("enter", "f", "tab", "G")
        await dashboard.until_shown("Wasted")
        await in_sizes(dashboard, picture, "layers", ((120, 40), (80, 24)))


async def test_deaths(picture: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PYD_HISTORY", str(tmp_path / "history.db"))
    store = HistoryStore(tmp_path / "history.db")
    told = (
        ("shop-worker-1", "oom-killed", 137, "shop-worker-1 used all of its 512M of memory and was killed"),
        ("importer", "app-error", 1, "importer ended itself with code 1"),
        ("shop-worker-1", "oom-killed", 137, "shop-worker-1 used all of its 512M of memory and was killed"),
    )
    deaths = []
    for at, (name, cause, code, summary) in enumerate(told):
        ended = START_NS + at * 600 * 10**9
        verdict = Verdict(name=name, cause=cause, confidence=0.95, summary=summary, severity="broken")
        lines = ("listening on :8080", 'level=warn msg="memory is short"')
        deaths.append(
            Death(
                name=name,
                container=identity(name),
                started_ns=ended - 90 * 10**9,
                ended_ns=ended,
                code=code,
                verdict=verdict,
                lines=lines,
            )
        )
    store.add(deaths, [Point(START_NS // 10**9, identity("importer"), 1, 4096)])
    store.close()
    async with opened(shop()) as dashboard:
        await dashboard.until_shown("live")
        await dashboard.press("colon")
        await dashboard.type("deaths")
        await dashboard.press("enter")
        await dashboard.until_shown("oom-killed")
        await in_sizes(dashboard, picture, "deaths", ((120, 40), (80, 24)))


async def test_loading_and_failing(picture: SnapshotAssertion):
    engine = shop()
    async with opened(engine, size=(100, 24)) as dashboard:
        await dashboard.until_shown("live")
        await dashboard.at_rest(0.5)
        engine.hold = asyncio.Event()
        await dashboard.press("2")
        await dashboard.until_shown("loading")
        await dashboard.at_rest(0.3)
        assert dashboard.svg == picture(name="loading")
        engine.refusals["GET /networks"] = (500, "database is locked")
        engine.hold.set()
        await dashboard.press("3")
        await dashboard.until_shown("database is locked")
        await dashboard.at_rest(0.5)
        assert dashboard.svg == picture(name="failed")
        engine.documents["/volumes"] = {"Volumes": []}
        await dashboard.press("4")
        await dashboard.until_shown("no volumes")
        await dashboard.at_rest(0.5)
        assert dashboard.svg == picture(name="empty")
        engine.cut(down=True)
        await dashboard.press("2")
        await dashboard.until_shown("no engine")
        dashboard.freeze_age()
        await dashboard.at_rest(0.5)
        assert dashboard.svg == picture(name="lost")


async def test_connecting(picture: SnapshotAssertion):
    engine = shop()
    engine.hold = asyncio.Event()
    async with opened(engine, size=(100, 24)) as dashboard:
        await dashboard.until_shown("connecting")
        await dashboard.at_rest(0.3)
        assert dashboard.svg == picture
        engine.hold.set()


async def test_nothing_passes_the_filter(picture: SnapshotAssertion):
    async with opened(shop(), size=(100, 24), beginning=Beginning(filter="nothing")) as dashboard:
        await dashboard.until_shown("0 of 3")
        await dashboard.at_rest(0.5)
        assert dashboard.svg == picture


async def test_questions(picture: SnapshotAssertion):
    engine = shop()
    async with opened(engine, size=(100, 24)) as dashboard:
        await dashboard.until_shown("live")
        for name, keys, text, shown in (
            ("limits", ("U",), "", "Limits of"),
            ("commit", ("C",), "", "Make an image of"),
            ("export", ("colon",), "export", "Export the files"),
            ("kill", ("asterisk", "colon"), "kill HUP", "3 containers"),
            ("rename", ("colon",), "rename ", "rename NAME"),
        ):
            await dashboard.press(*keys)
            await dashboard.type(text)
            if text and not text.endswith(" "):
                await dashboard.press("enter")
            if name == "export":
                await dashboard.until_shown("to folder")
                await dashboard.press("ctrl+u")
                await dashboard.type("/tmp")
            await dashboard.until_shown(shown)
            await dashboard.settled(engine)
            assert dashboard.svg == picture(name=name)
            await dashboard.press("escape", "escape")
