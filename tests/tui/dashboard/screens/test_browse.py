"""Lists of objects: what prune asks, where the focus is, and that nothing is cut or runs together."""

from __future__ import annotations

import pytest

from pyd_core.client.provider import engine_of
from pyd_tui.dashboard.render.containers import COLUMNS
from pyd_tui.dashboard.render.engines import COLUMNS as ENGINE_COLUMNS
from pyd_tui.dashboard.render.facts import LABEL_COLUMNS, fact
from pyd_tui.dashboard.render.layout import arrange
from pyd_tui.dashboard.render.pieces import cell
from pyd_tui.dashboard.resources.base import PruneCandidate
from pyd_tui.dashboard.screens.browse import Browse
from pyd_tui.dashboard.widgets.table import GUTTER_COLUMNS
from support.dashboard import Opened, opened, three


def browse(dashboard: Opened) -> Browse:
    screen = dashboard.app.screen
    assert isinstance(screen, Browse)
    return screen


async def test_a_prune_of_one_object_names_it(monkeypatch: pytest.MonkeyPatch):
    async def waste(*_: object) -> list[PruneCandidate]:
        return [PruneCandidate("crit-unused", None, lambda engine: engine_of(engine).networks.remove("crit-unused"))]

    async with opened(three()) as dashboard:
        await dashboard.press("3")
        await dashboard.until_shown("SUBNET")
        screen = browse(dashboard)
        resource = screen.resource
        fields = {name: getattr(resource, name) for name in resource.__dataclass_fields__}
        screen.resource = type(resource)(**{**fields, "waste": waste})
        await dashboard.press("P")
        await dashboard.until_shown("Prune 1 unused network (crit-unused)?")


async def test_open_moves_to_the_details_visibly_and_q_returns_to_the_list():
    async with opened(three()) as dashboard:
        await dashboard.until_shown("2 running")
        await dashboard.press("2")
        await dashboard.until_shown("Layers, newest first")
        await dashboard.until_shown("enter open")
        await dashboard.press("enter")
        await dashboard.until(lambda: "enter open" not in dashboard.text)
        assert "▌ postgres:16.4" in dashboard.text
        assert "^d page down" in dashboard.text.split("\n")[-1]
        await dashboard.press("q")
        await dashboard.until_shown("enter open")
        assert browse(dashboard).resource.name == "images"


async def test_a_view_is_sorted_by_key_and_by_a_click_on_a_heading_as_the_containers_are():
    async with opened(three()) as dashboard:
        await dashboard.press("2")
        await dashboard.until_shown("Layers, newest first")
        table = browse(dashboard).table
        loaded = list(table.keys)
        await dashboard.press("o")
        assert dashboard.message == "sorted by name"
        by_name = [table._cells(key)[0][0].text for key in table.keys]
        assert by_name == sorted(by_name)
        await dashboard.press("O")
        assert dashboard.message == "sorted by name, reversed"
        assert [table._cells(key)[0][0].text for key in table.keys] == by_name[::-1]
        size = next(placed for placed in table._placed if placed.column.key == "size")
        await dashboard.pilot.click(table, offset=(GUTTER_COLUMNS + size.x, 0))
        await dashboard.until(lambda: dashboard.message == "sorted by size")
        rows = browse(dashboard)._rows
        assert [rows[key].ranks["size"] for key in table.keys] == sorted(
            (row.ranks["size"] for row in rows.values()), reverse=True
        )
        await dashboard.press(*["o"] * (len(browse(dashboard).resource.columns) - 1))
        assert table.keys == loaded


@pytest.mark.parametrize("name", ["crit-shop_back", "com.docker.compose.container-number", "id"])
def test_a_long_label_never_runs_into_its_value(name: str):
    text = "".join(piece.text for piece in fact(name, cell("172.28.0.7")))
    assert text.startswith(f" {name}")
    assert "  172.28.0.7" in text or len(name) == LABEL_COLUMNS - 1


@pytest.mark.parametrize(("room", "least"), [(75, 30), (115, 57)])
def test_the_reason_gets_the_room_of_image_and_project(room: int, least: int):
    widths = {"state": 12, "name": 20, "since": 8, "image": 30, "project": 20, "reason": 60}
    placed = {column.column.key: column.width for column in arrange(COLUMNS, room, widths)}
    assert placed["reason"] >= least
    assert placed["name"] == 20


async def test_the_engines_view_counts_as_the_header_and_shows_addresses_whole():
    engine = three()
    engine.pause("db")
    async with opened(engine) as dashboard:
        await dashboard.until_shown("● 1 running  ‖ 1 paused")
        await dashboard.press("E")
        await dashboard.until_shown("RUNNING")
        line = next(line for line in dashboard.text.split("\n") if "scripted" in line or "● live" in line)
        assert line.split("● live")[1].split()[0] == "1"
    address = "unix:///a/directory/with/a/rather/long/name/pyd.sock"
    placed = {
        column.column.key: column.width
        for column in arrange(ENGINE_COLUMNS, 195, {"name": 12, "state": 15, "engine": 14, "address": len(address)})
    }
    assert placed["address"] == len(address)
