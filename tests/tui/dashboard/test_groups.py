"""Containers grouped by their Compose project."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pyd_core.watch.container_info import ContainerInfo
from pyd_core.watch.stats import Usage
from pyd_tui.dashboard.engines.target import RowTarget
from pyd_tui.dashboard.render.containers import heading
from pyd_tui.dashboard.screens.detail import Detail
from pyd_tui.dashboard.screens.logs import LogScreen
from support.dashboard import Opened, opened
from support.scripted_engine import ScriptedEngine


def fleet() -> ScriptedEngine:
    engine = ScriptedEngine()
    for project, service, state in (
        ("shop", "web", "running"),
        ("shop", "db", "exited"),
        ("blog", "web", "running"),
        ("blog", "db", "running"),
    ):
        code = 3 if state == "exited" else 0
        labels = {"com.docker.compose.project": project, "com.docker.compose.service": service}
        engine.add(f"{project}-{service}", labels=labels, state=state, exit_code=code)
    engine.add("alone")
    return engine


@asynccontextmanager
async def grouped(engine: ScriptedEngine, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Opened]:
    """Open the list sorted by project, with the cursor on the first heading."""
    async with opened(engine, size=size) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == len(engine.containers))
        await dashboard.press("o", "o", "g")
        assert dashboard.table.view.sort == "project"
        yield dashboard


def rows(dashboard: Opened) -> list[str]:
    """Return the names of the rows, headings in brackets."""
    rows_shown = zip(dashboard.table.keys, dashboard.shown, strict=True)
    return [f"[{key.project}]" if key.is_heading else name for key, name in rows_shown]


def changes(engine: ScriptedEngine) -> list[str]:
    return [request for request in engine.requests if not request.startswith("GET")]


async def test_each_project_has_a_heading_with_counts_and_others_come_last():
    async with grouped(fleet()) as dashboard:
        blog = ["[blog]", "blog-db", "blog-web"]
        shop = ["[shop]", "shop-web", "shop-db"]
        assert rows(dashboard) == [*blog, *shop, "alone"]
        lines = [line.strip("▌ ") for line in dashboard.text.splitlines()]
        assert any(line.startswith("▾ 2 of 2 up      blog") for line in lines)
        assert any(line.startswith("▾ 1 of 2 up      shop  ✗1") for line in lines)
        await dashboard.press("enter")
        assert rows(dashboard) == ["[blog]", *shop, "alone"]
        assert "▸ 2 of 2 up" in dashboard.text
        await dashboard.press("enter")
        assert rows(dashboard) == [*blog, *shop, "alone"]
        await dashboard.press("slash")
        await dashboard.type("web")
        await dashboard.press("enter")
        assert rows(dashboard) == ["[blog]", "blog-web", "[shop]", "shop-web"]
        assert "2 of 5" in dashboard.text


async def test_an_action_on_a_heading_lists_and_acts_on_its_containers_folded_or_not():
    engine = fleet()
    async with grouped(engine) as dashboard:
        for _ in range(2):
            await dashboard.press("s")
            await dashboard.until_shown("Stop 2 containers?")
            assert "◆ blog-db" in dashboard.text
            assert "◆ blog-web" in dashboard.text
            assert "◆ shop-web" not in dashboard.text
            await dashboard.press("n", "enter")
        await dashboard.press("enter", "s", "y")
        await dashboard.until(lambda: len(changes(engine)) == 2)
        stopped = {f"POST /containers/{engine.get(name).id}/stop" for name in ("blog-db", "blog-web")}
        assert set(changes(engine)) == stopped


async def test_a_mark_on_a_heading_marks_its_containers_and_survives_folding():
    engine = fleet()
    async with grouped(engine) as dashboard:
        await dashboard.press("space")
        assert dashboard.marked == ["blog-db", "blog-web"]
        await dashboard.press("g", "enter")
        engine.add("late", emit=True)
        await dashboard.until(lambda: "late" in dashboard.shown)
        assert dashboard.marked == ["blog-db", "blog-web"]
        await dashboard.press("space")
        assert dashboard.marked == []
        await dashboard.press("asterisk")
        assert dashboard.marked == sorted(container.name for container in engine.containers.values())
        await dashboard.press("escape", "g", "space", "G", "ctrl+@")
        assert dashboard.marked == ["alone", "blog-db", "blog-web", "late", "shop-db", "shop-web"]


async def test_single_container_keys_are_refused_on_a_heading_and_logs_are_the_projects():
    async with grouped(fleet()) as dashboard:
        for key in ("D", "e", "w", "i", "A", "C", "I"):
            await dashboard.press(key)
            assert "select a single container" in dashboard.message
        await dashboard.press("K", "enter")
        await dashboard.until_shown("Send KILL to 2 containers?")
        await dashboard.press("n")
        for key in ("l", "L"):
            await dashboard.press(key)
            assert isinstance(screen := dashboard.app.screen, LogScreen)
            assert len(screen.keys) == 2
            await dashboard.press("q")
        await dashboard.press("j", "enter")
        assert isinstance(dashboard.app.screen, Detail)


async def test_going_to_a_container_unfolds_its_project():
    engine = fleet()
    async with grouped(engine) as dashboard:
        await dashboard.press("enter")
        dashboard.table.go_to(RowTarget(dashboard.app.link, engine.get("blog-web").id))
        assert dashboard.cursor == "blog-web"


def test_the_usage_of_a_project_is_shown_once_all_its_running_containers_are_measured():
    entries = [ContainerInfo(id=str(number), name=str(number), state="running") for number in range(2)]
    used = [Usage(time_ns=1, cpu_percent=1.5, memory_bytes=3 << 20), Usage(time_ns=1, memory_bytes=2 << 20)]

    def heading_text(count: int) -> str:
        cells = heading("shop", entries, used[:count], folded=False, broken=0)
        return " ".join(piece.text for cell in cells for piece in cell)

    assert heading_text(2).split() == ["▾", "2", "of", "2", "up", "shop", "1.5%", "5M"]
    assert heading_text(1).split() == ["▾", "2", "of", "2", "up", "shop"]
