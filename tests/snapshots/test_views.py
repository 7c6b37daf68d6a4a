"""Every view in every size, and while it has nothing to show: loading, failed, empty, stale."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pyd_core.triage.verdict import Verdict
from pyd_core.watch.history_store import Death, HistoryStore, Point
from support.dashboard import Opened, opened, several
from support.scenes import everything, in_sizes
from support.scripted_engine import START_NS, ScriptedEngine
from support.scripted_resources import identity

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion


class View(NamedTuple):
    """A view: its keys, a text shown once it is complete, the path it requests, and an empty response."""

    key: str
    name: str
    shown: str
    path: str
    nothing: object = ()


VIEWS = (
    View("2", "images", "RUN apt-get update", "/images/json"),
    View("3", "networks", "172.18.0.2/16", "/networks"),
    View("4", "volumes", "/var/lib/docker/volumes/shop_db", "/volumes", {"Volumes": []}),
    View("6", "system", "1.2G", "/system/df", {}),
    View("7", "services", "only where", "/services"),
    View("8", "tasks", "78", "/tasks"),
    View("9", "nodes", "Tasks on it", "/nodes"),
    View("0", "stacks", "replicated", "/services"),
)


@pytest.fixture
def history(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Three deaths that the recorder saw."""
    monkeypatch.setenv("PYD_HISTORY", str(tmp_path / "history.db"))
    store = HistoryStore(tmp_path / "history.db")
    events = (
        ("shop-worker-1", "oom-killed", 137, "shop-worker-1 used all of its 512M of memory and was killed"),
        ("importer", "app-error", 1, "importer ended itself with code 1"),
        ("shop-worker-1", "oom-killed", 137, "shop-worker-1 used all of its 512M of memory and was killed"),
    )
    deaths = []
    for index, (name, cause, code, summary) in enumerate(events):
        ended = START_NS + index * 600 * 10**9
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


async def open_view(dashboard: Opened, view: View) -> None:
    await dashboard.resize(120, 40)
    await dashboard.press(view.key)
    if view.name in {"images", "networks"}:
        await dashboard.until_shown("dangling" if view.name == "images" else "shop_back")
        await dashboard.press("j", "j")
    await dashboard.until_shown(view.shown)
    await dashboard.at_rest(0.3)


@pytest.mark.usefixtures("history")
async def test_sizes(picture: SnapshotAssertion):
    engine = everything()
    async with opened(engine) as dashboard:
        await dashboard.measured(engine)
        await dashboard.until_shown("Services")
        await in_sizes(dashboard, picture, "containers")
        await dashboard.press("exclamation_mark")
        await dashboard.settled(engine)
        await in_sizes(dashboard, picture, "broken")
        await dashboard.press("exclamation_mark")
        events = View("5", "events", "Attributes", "")
        deaths = View("colon", "deaths", "", "")
        for view in (*VIEWS, events, deaths):
            await open_view(dashboard, view)
            if view is deaths:
                await dashboard.type("deaths")
                await dashboard.press("enter")
                await dashboard.until_shown("oom-killed")
                await dashboard.at_rest(0.3)
            await in_sizes(dashboard, picture, view.name)


async def test_engines(picture: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    context = tmp_path / "contexts/meta/x"
    context.mkdir(parents=True)
    (context / "meta.json").write_text(
        '{"Name":"staging","Endpoints":{"docker":{"Host":"ssh://deploy@staging.invalid"}}}'
    )
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    near, far = ScriptedEngine(), ScriptedEngine()
    for name in ("shop-db-1", "shop-web-1"):
        near.add(name, labels={"com.docker.compose.project": "shop"})
    far.add("db")
    far.add("job", state="exited", exit_code=1)
    async with several({"near": near, "far": far}, size=(120, 40)) as dashboard:
        await dashboard.until_shown("far ✗1")
        links = dashboard.app.links
        await dashboard.until(
            lambda: all(container.detailed for link in links for container in link.containers.values())
        )
        await dashboard.until_shown("no output yet")
        await in_sizes(dashboard, picture, "tabs")
        await dashboard.press("E")
        await dashboard.until_shown("not connected")
        await in_sizes(dashboard, picture, "list")


async def test_loading_failed_empty(picture: SnapshotAssertion):
    engine = everything()
    async with opened(engine, size=(80, 24)) as dashboard:
        await dashboard.measured(engine)
        await dashboard.until(lambda: dashboard.app.link.swarm)
        for view in VIEWS:
            engine.hold = asyncio.Event()
            await dashboard.press(view.key)
            await dashboard.until_shown("loading")
            await dashboard.at_rest(0.1)
            assert dashboard.svg == picture(name=f"{view.name}-loading")
            engine.refusals[f"GET {view.path}"] = (500, "database is locked")
            engine.hold.set()
            await dashboard.until_shown("database is locked")
            await dashboard.at_rest(0.3)
            assert dashboard.svg == picture(name=f"{view.name}-failed")
            engine.refusals.clear()
            engine.documents[view.path] = view.nothing
            await dashboard.press("1", view.key)
            await dashboard.until_shown("0B" if view.name == "system" else "no ")
            await dashboard.at_rest(0.3)
            assert dashboard.svg == picture(name=f"{view.name}-empty")


async def test_stale(picture: SnapshotAssertion):
    engine = everything()
    async with opened(engine) as dashboard:
        await dashboard.measured(engine)
        await dashboard.until_shown("Services")
        for view in (View("5", "events", "Attributes", ""), *VIEWS):  # each cut is an event more
            await open_view(dashboard, view)
            await dashboard.resize(80, 24)
            await dashboard.at_rest(0.3)  # the row's details are loaded again, for this width
            engine.cut(down=True)
            await dashboard.until_shown("no engine")
            dashboard.freeze_age()
            await dashboard.at_rest(0.1)
            assert dashboard.svg == picture(name=view.name)
            engine.down = False
            await dashboard.until(lambda: dashboard.app.link.connection.state == "live")


async def test_no_events_no_deaths(picture: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PYD_HISTORY", str(tmp_path / "none.db"))
    async with opened(ScriptedEngine(), size=(80, 24)) as dashboard:
        await dashboard.until_shown("Docker 26.1.5")
        for name in ("events", "deaths"):
            await dashboard.press("colon")
            await dashboard.type(name)
            await dashboard.press("enter")
            await dashboard.at_rest(0.3)
            assert dashboard.svg == picture(name=name)
