"""Every screen of the dashboard in its sizes and states, as pictures to look at and to compare with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from pyd_core.client.endpoint import Endpoint
from pyd_core.errors import NoEngine
from pyd_tui.dashboard.theme.palettes import DARK
from pyd_tui.dashboard.theme.styles import StylePalette
from support.dashboard import Opened, opened
from support.scenes import LOG, fleet, in_sizes
from support.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion


@asynccontextmanager
async def screen(
    size: tuple[int, int] = (120, 40), *, palette: StylePalette = DARK, engine: ScriptedEngine | None = None
) -> AsyncIterator[tuple[Opened, ScriptedEngine]]:
    """The list, complete and with figures, the cursor on the first container."""
    engine = engine or fleet()
    for line in LOG * 12:
        engine.print("backup", line, stderr=b"error" in line)
    async with opened(engine, size=size, palette=palette) as dashboard:
        await dashboard.measured(engine)
        yield dashboard, engine


async def test_list(picture: SnapshotAssertion):
    async with screen() as (dashboard, _engine):
        await in_sizes(dashboard, picture, "list")


async def test_grouped(picture: SnapshotAssertion):
    async with screen() as (dashboard, _engine):
        await dashboard.press("o", "o", "g", "enter", "G")
        await in_sizes(dashboard, picture, "grouped")


async def test_signal(picture: SnapshotAssertion):
    async with screen() as (dashboard, _engine):
        await dashboard.press("enter", "7")
        await dashboard.until_shown("nginx: worker process")
        await dashboard.press("j", "K")
        await dashboard.until_shown("Send a signal")
        await in_sizes(dashboard, picture, "signal", sizes=((120, 40), (60, 20)))


async def test_a_long_question(picture: SnapshotAssertion):
    async with screen() as (dashboard, _engine):
        await dashboard.press("asterisk", "x")
        await dashboard.until_shown("Remove ")
        await dashboard.resize(60, 20)
        await dashboard.press("j", "j")
        await in_sizes(dashboard, picture, "question", sizes=((60, 20),))


async def test_events(picture: SnapshotAssertion):
    engine = fleet()
    async with screen(engine=engine) as (dashboard, engine):
        await dashboard.press("V")
        engine.die("shop-web-2", 139)
        engine.start("shop-web-2")
        engine.health("shop-web-1", "unhealthy")
        engine.emit_of(engine.get("shop-db-1"), "oom")
        engine.emit("network", "connect", "n1", name="shop_default")
        await dashboard.until(lambda: len(dashboard.app.timeline.items) == 5)
        await dashboard.settled(engine)
        assert dashboard.svg == picture


async def test_find_in_a_log(picture: SnapshotAssertion):
    async with screen() as (dashboard, engine):
        await dashboard.press("enter", "2", "slash")
        await dashboard.type("error")
        await dashboard.press("enter", "n")
        await dashboard.settled(engine)
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
