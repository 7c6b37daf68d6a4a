"""Every screen of the dashboard in its sizes and states, as pictures to look at and to compare with."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pyd_core.engine.endpoint import Endpoint
from pyd_core.errors import NoEngine
from pyd_core.fleet.series import Series
from pyd_core.fleet.stats import Usage
from pyd_tui.dashboard.pages import TABS
from pyd_tui.dashboard.palette import Palette
from pyd_tui.dashboard.palettes import DARK, LIGHT, PLAIN
from support.dashboard import NOW_NS, Opened, opened
from support.scripted_engine import START_NS, ScriptedEngine
from support.scripted_things import WEB, identity

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

SHOP = {"com.docker.compose.project": "shop"}
BLOG = {"com.docker.compose.project": "blog"}
HOUR = 3600 * 10**9
BACKUP: dict[str, Any] = {
    "health": "unhealthy",
    "probes": [(0, "ok"), (1, "dial tcp 10.0.0.9:443: connection refused\nno snapshot for 26 h")],
    "env": [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/bin:/bin",
        "RESTIC_PASSWORD=hunter2hunter2",
        "RESTIC_REPOSITORY=rest:https://backup:hunter2@vault.example.com/shop",
        "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI",
        "TZ=Europe/Berlin",
    ],
    "mounts": [
        {
            "Type": "volume",
            "Name": "shop_data",
            "Source": "/var/lib/docker/volumes/shop_data/_data",
            "Destination": "/data",
            "Driver": "local",
            "Mode": "z",
            "RW": False,
        },
        {"Type": "bind", "Source": "/etc/restic", "Destination": "/etc/restic", "RW": True, "Propagation": "rprivate"},
    ],
    "networks": {
        "backup_net": {
            "IPAddress": "172.20.0.7",
            "IPPrefixLen": 16,
            "Gateway": "172.20.0.1",
            "MacAddress": "02:42:ac:14:00:07",
            "Aliases": ["backup"],
            "DNSNames": ["backup", "restic"],
        },
    },
}


def fleet() -> ScriptedEngine:
    """Two projects and a few others, one of each state."""
    engine = ScriptedEngine()
    started = {"started_ns": START_NS - 50 * HOUR}
    engine.add(
        "shop-web-1",
        image="registry.example.com/shop/web:2.14.0",
        labels=SHOP,
        memory_limit=512 << 20,
        health="healthy",
        ports=((80, 8080), (443, 8443)),
        **started,
    )
    engine.add(
        "shop-web-2",
        image="registry.example.com/shop/web:2.14.0",
        labels=SHOP,
        memory_limit=512 << 20,
        health="unhealthy",
        **started,
    )
    engine.add(
        "shop-db-1",
        image="postgres:16.4",
        labels=SHOP,
        memory_limit=2 << 30,
        health="healthy",
        ports=((5432, None),),
        **started,
    )
    engine.add("shop-cache-1", image="redis:7-alpine", labels=SHOP, **started)
    engine.add("blog-ghost-1", image="ghost:5", labels=BLOG, health="starting", ports=((2368, 80),))
    engine.add("traefik", image="traefik:v3.1", ports=((80, 80), (443, 443), (8080, 8080)))
    engine.add("backup", image="restic/restic:0.17", state="paused", **BACKUP)
    engine.add("shop-migrate-1", image="registry.example.com/shop/web:2.14.0", labels=SHOP, state="exited")
    engine.add(
        "shop-worker-1",
        image="registry.example.com/shop/worker:2.14.0",
        labels=SHOP,
        state="exited",
        exit_code=137,
        oom_killed=True,
    )
    engine.add("importer", image="sha256:" + "9f86d081884c7d65" * 4, state="exited", exit_code=1)
    engine.add("sidecar", image="scratch-app:1", state="created")
    return engine


LOG = (
    b"listening on :8080",
    b"\x1b[32mINFO\x1b[0m  GET /api/items 200 \x1b[2m12ms\x1b[0m",
    (
        b"\x1b[33mWARN\x1b[0m  slow query: SELECT * FROM items WHERE owner = $1 ORDER BY created_at DESC LIMIT 50"
        b" took 1840ms (threshold 500ms, plan cached, 3 workers)"
    ),
    b'{"level":"error","msg":"upstream timed out","service":"cart","attempt":3}',
    "größe 12 µs, 日本語のログ, naïve café".encode(),
)


@asynccontextmanager
async def screen(
    size: tuple[int, int] = (120, 40), *, palette: Palette = DARK, engine: ScriptedEngine | None = None
) -> AsyncIterator[tuple[Opened, ScriptedEngine]]:
    """The list, complete and with figures, the cursor on the first container."""
    engine = engine or fleet()
    for line in LOG * 12:
        engine.print("backup", line, stderr=b"error" in line)
    async with opened(engine, size=size, palette=palette) as dashboard:
        await dashboard.measured(engine)
        yield dashboard, engine


@pytest.mark.parametrize("size", [(120, 40), (60, 20), (80, 24), (200, 50)], ids=lambda size: "x".join(map(str, size)))
async def test_list(picture: SnapshotAssertion, size: tuple[int, int]):
    async with screen(size) as (dashboard, _engine):
        assert dashboard.svg == picture


@pytest.mark.parametrize("palette", [LIGHT, PLAIN], ids=lambda palette: palette.name)
async def test_list_in_other_colours(picture: SnapshotAssertion, palette: Palette):
    async with screen(palette=palette) as (dashboard, _engine):
        assert dashboard.svg == picture


async def test_filter(picture: SnapshotAssertion):
    async with screen() as (dashboard, engine):
        await dashboard.press("slash")
        await dashboard.type("shop !web")
        await dashboard.settled(engine)
        assert dashboard.svg == picture


async def test_only_broken(picture: SnapshotAssertion):
    async with screen() as (dashboard, engine):
        await dashboard.press("exclamation_mark")
        await dashboard.settled(engine)
        assert dashboard.svg == picture


async def test_marks_and_confirm(picture: SnapshotAssertion):
    async with screen() as (dashboard, engine):
        await dashboard.press("j", "space", "space", "space", "x")
        await dashboard.settled(engine)
        assert dashboard.svg == picture


async def test_events(picture: SnapshotAssertion):
    engine = fleet()
    async with screen(engine=engine) as (dashboard, engine):
        await dashboard.press("v")
        engine.die("shop-web-2", 139)
        engine.start("shop-web-2")
        engine.health("shop-web-1", "unhealthy")
        engine.tell(engine.get("shop-db-1"), "oom")
        engine.emit("network", "connect", "n1", name="shop_default")
        await dashboard.until(lambda: len(dashboard.app.timeline.items) == 5)
        await dashboard.settled(engine)
        assert dashboard.svg == picture


async def test_detail(picture: SnapshotAssertion):
    async with screen() as (dashboard, engine):
        await dashboard.press("enter")
        await dashboard.until_shown("Process")
        for tab in TABS:
            await dashboard.settled(engine)
            assert dashboard.svg == picture(name=tab)
            await dashboard.press("tab")


def course(dashboard: Opened, engine: ScriptedEngine, name: str) -> None:
    """Gives a container four minutes of history: a load that rises, a death, a start, a quieter time."""
    key = engine.get(name).id
    meter = dashboard.app.link.meter
    assert meter is not None
    meter._add = lambda *_: None  # type: ignore[method-assign]  # the scripted engine has no such course
    series = meter._series[key] = Series()
    for second in range(-240, 1):
        if -90 < second < -80:
            continue
        rising = second <= -90
        wave = 1 + math.sin(second / 9)
        series.add(
            Usage(
                time_ns=NOW_NS + second * 10**9,
                cpu_percent=(150 + second / 2) * wave / 2 if rising else 12 * wave,
                memory_bytes=((240 + second) * 3 + 40 << 20) if rising else 60 << 20,
                memory_limit=512 << 20,
                memory_peak=498 << 20,
                pids=9 if rising else 4,
                net_rx=180_000 * wave,
                net_tx=22_000 * wave,
                block_read=0.0,
                block_write=4_000_000 * wave if second % 60 < 7 else 0.0,
                throttled_ratio=0.3 if second < -120 else 0.0,
            )
        )
    meter._usage[key] = series.samples()[-1]


async def test_stats(picture: SnapshotAssertion):
    async with screen((120, 45)) as (dashboard, engine):
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
        for size, name in (((120, 45), "120x45"), ((80, 24), "80x24")):
            await dashboard.pilot.resize_terminal(*size)
            await dashboard.settled(engine)
            course(dashboard, engine, "shop-web-1")
            dashboard.app.screen.measured()
            await dashboard.pilot.pause()
            assert dashboard.svg == picture(name=name)


def shop() -> ScriptedEngine:
    """The same with what the containers stand on, and something that happened."""
    engine = fleet()
    data = {"Type": "volume", "Name": "shop_db", "Destination": "/var/lib/postgresql/data", "RW": True}
    engine.get("shop-db-1").mounts = [data]
    for at, name in enumerate(("shop-web-1", "shop-web-2", "shop-db-1", "shop-migrate-1")):
        engine.get(name).networks = {
            "shop_default": {"IPAddress": f"172.18.0.{at + 2}", "IPPrefixLen": 16, "DNSNames": [name, "shop"]}
        }
    for network in ("shop_default", "shop_back"):
        engine.documents[f"/networks/{identity(network)}"] = {
            **engine.documents[f"/networks/{identity(network)}"],
            "Containers": {
                engine.get(name).id: {"Name": name, "IPv4Address": f"172.18.0.{at + 2}/16"}
                for at, name in enumerate(("shop-web-1", "shop-web-2", "shop-db-1"))
            },
        }
    engine.die("shop-web-2", 139)
    engine.start("shop-web-2")
    engine.health("shop-web-1", "unhealthy")
    engine.tell(engine.get("shop-db-1"), "oom")
    engine.emit("network", "connect", "n1", name="shop_default", type="bridge")
    engine.emit("image", "pull", WEB, name=WEB)
    return engine


VIEWS = {
    "2": "RUN apt-get update",
    "3": "172.18.0.2/16",
    "4": "/var/lib/docker/volumes/shop_db",
    "5": "Attributes",
    "6": "1.2G",
}


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=lambda size: "x".join(map(str, size)))
async def test_view(picture: SnapshotAssertion, size: tuple[int, int]):
    async with screen(size, engine=shop()) as (dashboard, _engine):
        for digit, shown in VIEWS.items():
            await dashboard.press(digit)
            if digit == "2":
                await dashboard.until_shown("dangling")
                await dashboard.press("j", "j")
            if digit == "3":
                await dashboard.until_shown("shop_back")
                await dashboard.press("j", "j")
            if size == (120, 40):
                await dashboard.until_shown(shown)
            await dashboard.at_rest(0.5)
            assert dashboard.svg == picture(name=digit)


async def test_prune(picture: SnapshotAssertion):
    async with screen(engine=shop()) as (dashboard, _engine):
        await dashboard.press("2")
        await dashboard.until_shown("RUN")
        await dashboard.press("P")
        await dashboard.until_shown("Remove what nothing uses")
        assert dashboard.svg == picture


async def test_command(picture: SnapshotAssertion):
    async with screen() as (dashboard, engine):
        await dashboard.press("colon")
        await dashboard.type("ima")
        await dashboard.settled(engine)
        assert dashboard.svg == picture


async def test_find_in_a_log(picture: SnapshotAssertion):
    async with screen() as (dashboard, engine):
        await dashboard.press("enter", "2", "slash")
        await dashboard.type("error")
        await dashboard.press("enter", "n")
        await dashboard.settled(engine)
        assert dashboard.svg == picture


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=lambda size: "x".join(map(str, size)))
async def test_help(picture: SnapshotAssertion, size: tuple[int, int]):
    async with screen(size) as (dashboard, _engine):
        await dashboard.press("question_mark")
        assert dashboard.svg == picture


async def test_empty_engine(picture: SnapshotAssertion):
    async with opened(ScriptedEngine()) as dashboard:
        await dashboard.until_shown("no containers yet")
        await dashboard.until_shown("Docker 26.1.5")
        assert dashboard.svg == picture


async def test_no_engine(picture: SnapshotAssertion):
    def choose() -> Endpoint:
        raise NoEngine(
            "no engine was found: none of the usual sockets of Docker and Podman exists",
            hint="start Docker or Podman, or name an engine with --host or --context",
        )

    async with opened(ScriptedEngine(), choose=choose) as dashboard:
        await dashboard.until_shown("no engine was found")
        dashboard.freeze_age()
        assert dashboard.svg == picture


async def test_lost_engine(picture: SnapshotAssertion):
    engine = fleet()
    async with screen(engine=engine) as (dashboard, engine):
        engine.cut(down=True)
        await dashboard.until_shown("no engine")
        dashboard.freeze_age()
        await dashboard.settled(engine)
        assert dashboard.svg == picture


async def test_hostile_texts(picture: SnapshotAssertion):
    engine = ScriptedEngine()
    evil = "\x1b[2J\x1b]0;owned\x07"
    engine.add(evil, image="[red]evil[/red]:\x9b31m")
    engine.add("日本語の名前", image="\u202egnp.exe", labels={"com.docker.compose.project": "a\nb\tc"})
    engine.add("x" * 200, image="y" * 300, state="exited", exit_code=255)
    engine.print(evil, b"\x1b[1;1H\x1b[2Jcleared? \xff\xfe \x9b2J \x1b]52;c;aGk=\x07 [bold]no markup[/bold]")
    engine.print(evil, b"\x1b[41;97mred ground\x1b[0m \x1b[5mblinking\x1b[0m " + b"long " * 60)
    async with opened(engine) as dashboard:
        await dashboard.measured(engine)
        await dashboard.until_shown("cleared?")
        assert dashboard.svg == picture
