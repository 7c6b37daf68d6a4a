from __future__ import annotations

import re

import pytest

from pyd_tui.dashboard.resources.container_tabs import TABS
from support.dashboard import opened
from support.scripted_engine import ScriptedEngine

EVIL = "[b]x[/b]\x1b[2J\x1b]52;c;b3duZWQ=\x07\u202e漢字e\u0301\u200d👩‍🔬{x}$(id)"
ACTED_ON = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters; lines of the screen are separated by line feeds."""


def evil() -> ScriptedEngine:
    engine = ScriptedEngine()
    labels = {f"{EVIL}.{number}": EVIL for number in range(10_000)} | {"com.docker.compose.project": EVIL}
    engine.add(
        EVIL,
        image=f"reg/{EVIL}:1",
        labels=labels,
        env=[f"{EVIL}={EVIL}", "NO_VALUE", "=", f"TOKEN={EVIL}"],
        health="unhealthy",
        probes=[(1, EVIL)],
        mounts=[{"Type": "bind", "Source": EVIL, "Destination": EVIL, "RW": True}],
    )
    for _ in range(3):
        engine.print(EVIL, EVIL)
    return engine


@pytest.mark.parametrize("size", [(120, 40), (60, 20), (1, 1)], ids=lambda size: "x".join(map(str, size)))
async def test_hostile_data_never_reaches_the_terminal_or_breaks_a_screen(size: tuple[int, int]):
    engine = evil()
    async with opened(engine, size=size) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 1)
        await dashboard.press("enter")
        for _ in TABS:
            await dashboard.pilot.pause()
            assert not ACTED_ON.search(dashboard.text)
            await dashboard.press("tab")
        dialog_keys = ("A", "escape", "C", "escape", "x", "n", "ctrl+p", "escape", "question_mark", "q", "l")
        for key in ("q", *dialog_keys):
            await dashboard.press(key)
            await dashboard.pilot.pause(0.05)
            assert not ACTED_ON.search(dashboard.text)
        assert dashboard.app.bug is None


@pytest.mark.parametrize(
    "tar", [b"no tar" * 1000, b"\0" * 512, b"x" * 511, b""], ids=["text", "empty", "short", "none"]
)
async def test_broken_files_are_reported_and_everything_else_continues(tar: bytes):
    engine = ScriptedEngine()
    engine.add("web")
    engine.archives["/"] = tar
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 1)
        await dashboard.press("enter", "F")
        await dashboard.until(lambda: re.search("no tar|nothing there|middle of|No such file", dashboard.text))
        await dashboard.press("i")
        await dashboard.until_shown('"Config"')


async def test_refusals_and_lost_connections_are_reported_and_the_engine_is_found_again():
    engine = ScriptedEngine()
    key = engine.add("web")
    engine.refusals[f"POST /containers/{key}/stop"] = (500, f"<html>{EVIL}</html>")
    engine.refusals[f"GET /containers/{key}/changes"] = (500, "\x1b[31mred")
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 1)
        await dashboard.press("s")
        await dashboard.until_shown("<html>[b]x")
        assert not ACTED_ON.search(dashboard.text)
        await dashboard.press("enter", "0", "tab")
        await dashboard.until_shown("␛[31mred")
        engine.cut(down=True)
        await dashboard.until_shown("○ no engine")
        await dashboard.press("q", "x")
        await dashboard.press("y")
        engine.down = False
        await dashboard.until_shown("live")
        assert dashboard.app.bug is None
