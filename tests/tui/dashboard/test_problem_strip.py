"""The strip of the worst containers, columns by content, filters by field, and the first start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pyd_core.model.container import Port
from pyd_core.triage.verdict import Verdict
from pyd_core.watch.container_info import ContainerInfo
from pyd_tui.dashboard.render.containers import COLUMNS, state_and_health
from pyd_tui.dashboard.render.layout import arrange
from pyd_tui.dashboard.render.problems import problem_line
from pyd_tui.dashboard.resources.container_filters import View
from pyd_tui.dashboard.screens.detail import Detail
from pyd_tui.dashboard.startup.startup_state import StartupState
from support.dashboard import Opened, opened, three
from support.scripted_engine import ScriptedEngine


async def ready(dashboard: Opened, count: int = 3) -> None:
    await dashboard.until(lambda: len(dashboard.shown) == count and dashboard.table.was_seen)


async def test_the_strip_names_the_worst_and_a_key_opens_the_verdict():
    engine = three()
    async with opened(engine) as dashboard:
        await ready(dashboard)
        await dashboard.until_shown("✗ 1 broken  !   F1 job ")
        await dashboard.press("f2")
        assert len(dashboard.app.screen_stack) == 1
        await dashboard.press("f1")
        assert isinstance(screen := dashboard.app.screen, Detail)
        assert screen.key == engine.get("job").id
        assert screen.tabs.current == "why"


async def test_the_strip_hides_while_nothing_is_broken_and_in_the_list_of_broken_ones():
    engine = three()
    async with opened(engine) as dashboard:
        await ready(dashboard)
        await dashboard.until_shown("F1 job")
        await dashboard.press("exclamation_mark")
        await dashboard.until(lambda: "F1 job" not in dashboard.text)
        await dashboard.press("exclamation_mark")
        await dashboard.until_shown("F1 job")
        engine.start("job")
        await dashboard.until(lambda: "broken  !" not in dashboard.text)


async def test_a_key_goes_to_the_next_broken_container():
    async with opened(three()) as dashboard:
        await ready(dashboard)
        await dashboard.press("B")
        assert dashboard.cursor == "job"


@pytest.mark.parametrize("room", [75, 115, 195])
def test_names_are_whole_before_other_columns_get_room(room: int):
    widths = {column.key: column.max_width for column in COLUMNS} | {"name": 24, "engine": 0, "reason": 0, "state": 12}
    placed = {column.column.key: column.width for column in arrange(COLUMNS, room, widths)}
    assert placed["name"] == 24


def test_the_health_of_a_running_container_is_its_state():
    def text(**facts: Any) -> str:
        return "".join(piece.text for piece in state_and_health(ContainerInfo(id="1", name="web", **facts)))

    assert "health" not in {column.key for column in COLUMNS}
    assert text(state="running", health="healthy") == "● healthy"
    assert text(state="running", health="unhealthy") == "✗ unhealthy"
    assert text(state="running") == "● running"
    assert text(state="exited", health="unhealthy", exit_code=1) == "✗ exited 1"


def test_a_container_that_counts_as_broken_is_marked_in_its_row_though_its_probe_passes():
    verdict = Verdict(name="web", cause="oom-killed-child", confidence=0.9, summary="lost a child", severity="broken")
    for health in ("healthy", "starting"):
        container = ContainerInfo(id="1", name="web", state="running", health=health)
        assert "".join(piece.text for piece in state_and_health(container, verdict=verdict)) == f"✗ {health}"


def test_a_long_name_leaves_room_for_the_reason():
    name = "job-" + "x" * 80
    container = ContainerInfo(id="1", name=name, state="exited", exit_code=137)
    line, hits = problem_line(1, [(container, None)], "!", ["F1"], 60)
    shown = "".join(piece.text for piece in line)
    assert shown.startswith("✗ 1 broken  !   F1 job-xxx")
    assert shown.endswith("x… exited 137")
    assert len(shown) == hits[-1][2] <= 60


@pytest.mark.parametrize(
    ("name_state", "role"), [("paused", "info"), ("running", "good"), ("dead", "bad"), ("exited", "bad")]
)
def test_only_the_mark_of_a_broken_container_that_is_up_is_red(name_state: str, role: str):
    verdict = Verdict(name="web", cause="oom-killed-child", confidence=0.9, summary="lost a child", severity="broken")
    container = ContainerInfo(id="1", name="web", state=name_state)
    assert [piece.role for piece in state_and_health(container, verdict=verdict)] == ["bad", role]


PORTS = (Port(private_port=80, public_port=18080, type="tcp"),)
WEB = ContainerInfo(
    id="a" * 64,
    name="web",
    state="running",
    ports=PORTS,
    labels={"tier": "front"},
    networks=("shop_back",),
    volumes=("shop_db",),
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("18080", True),
        ("port:18080", True),
        ("port:80", True),
        ("port:8080", False),
        ("!port:80", False),
        ("label:tier=front", True),
        ("label:back", False),
        ("net:back", True),
        ("network:shop", True),
        ("net:front", False),
        ("volume:db", True),
        ("colour:red", False),
    ],
)
def test_filters_know_ports_labels_networks_and_volumes(text: str, shown: bool):
    assert View(text=text).shows(WEB) is shown


async def test_the_order_is_reversed_by_a_key_and_by_a_click_on_the_heading():
    async with opened(three()) as dashboard:
        await ready(dashboard)
        await dashboard.press("o")
        assert dashboard.shown == ["db", "job", "web"]
        await dashboard.press("O")
        assert dashboard.shown == ["web", "job", "db"]
        await dashboard.until_shown("NAME▴")
        heading = next(y for y, line in enumerate(dashboard.text.split("\n")) if "STATE" in line)
        x = dashboard.text.split("\n")[heading].index("NAME")
        await dashboard.pilot.click(offset=(x, heading))
        await dashboard.until(lambda: dashboard.shown == ["db", "job", "web"])


async def click(dashboard: Opened, text: str, *, times: int = 1, button: int = 1, after: str = "") -> None:
    """Click the first occurrence of a text, below a line with another text."""
    await dashboard.until(lambda: text in dashboard.text[dashboard.text.find(after) :])
    lines = dashboard.text.split("\n")
    first = next(y for y, line in enumerate(lines) if after in line)
    y = next(y for y in range(first, len(lines)) if text in lines[y])
    await dashboard.pilot.click(offset=(lines[y].index(text), y), times=times, button=button)
    await dashboard.pilot.pause()


async def test_views_tabs_rows_and_footer_keys_are_clicked():
    async with opened(three()) as dashboard:
        await ready(dashboard)
        await click(dashboard, "web", times=2, after="STATE")
        assert isinstance(screen := dashboard.app.screen, Detail)
        await click(dashboard, "Inspect")
        assert screen.tabs.current == "inspect"
        await click(dashboard, "q back")
        assert len(dashboard.app.screen_stack) == 1
        await click(dashboard, "Images")
        await dashboard.until_shown("USED BY")
        await click(dashboard, "Containers")
        await click(dashboard, "! broken")
        await dashboard.until_shown("only broken")


async def test_the_right_button_opens_the_menu():
    async with opened(three()) as dashboard:
        await ready(dashboard)
        await click(dashboard, "job", button=3, after="STATE")
        await dashboard.until_shown("start it")
        await click(dashboard, "remove it")
        await dashboard.until_shown("Remove job?")


async def test_the_scroll_bar_is_dragged():
    engine = ScriptedEngine()
    for number in range(100):
        engine.add(f"box-{number:03}")
    async with opened(engine) as dashboard:
        await ready(dashboard, 100)
        await dashboard.until_shown("box-000")
        lines = dashboard.text.split("\n")
        first = next(y for y, line in enumerate(lines) if "box-000" in line)
        await dashboard.pilot.mouse_down(offset=(119, first))
        await dashboard.pilot.hover(offset=(119, first + dashboard.table.page - 1))
        await dashboard.pilot.mouse_up(offset=(119, first + dashboard.table.page - 1))
        assert dashboard.cursor == "box-099"


@pytest.mark.parametrize(("width", "side_by_side"), [(120, False), (200, True)])
async def test_the_pane_is_next_to_the_list_on_wide_terminals(width: int, side_by_side: bool):
    async with opened(three(), size=(width, 40)) as dashboard:
        await ready(dashboard)
        table, tabs = dashboard.table.region, dashboard.app.screen.query_one("#tabs").region
        assert (tabs.x > table.x) == side_by_side
        await dashboard.press("vertical_line")
        table, tabs = dashboard.table.region, dashboard.app.screen.query_one("#tabs").region
        assert (tabs.x > table.x) != side_by_side


async def test_the_first_start_names_what_no_other_dashboard_has(tmp_path: Path):
    beginning = StartupState(first_time=True)
    async with opened(three(), beginning=beginning) as dashboard:
        await ready(dashboard)
        assert dashboard.message.startswith("! what is broken · w why · S search every log · ^p go to anything")
        await dashboard.press("j")
        assert dashboard.message == ""


async def test_views_without_a_digit_keep_their_order_when_one_is_open():
    async with opened(three()) as dashboard:
        await dashboard.until_shown(":deaths  :builds")
        dashboard.app.open_view("builds")
        await dashboard.until_shown("STATUS")
        await dashboard.until_shown(":deaths  :builds")


async def test_a_long_attribute_of_an_event_never_runs_into_its_value():
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.press("5")
        engine.emit("network", "connect", "n1", name="shop", **{"com.docker.compose.container-number": "42"})
        await dashboard.until_shown("com.docker.compose.container-nu…  42")
