from __future__ import annotations

from pyd_core.kube.model.table import ObjectTable
from pyd_core.model.base import decode, encode
from pyd_tui.dashboard.render.figures import Clock
from pyd_tui.dashboard.resources.cluster.tables import layout_column, rows_of, shown_columns

NOW_NS = 1_796_080_000 * 10**9


def table(*cells: object) -> ObjectTable:
    document = {
        "columnDefinitions": [
            {"name": "Extra", "type": "string", "priority": 1},
            {"name": "Status", "type": "string"},
            {"name": "Name", "type": "string", "format": "name"},
            {"name": "Age", "type": "string"},
        ],
        "rows": [
            {"cells": [*cells], "object": {"metadata": {"name": "web", "namespace": "a", "labels": {"app": "x"}}}}
        ],
    }
    return decode(encode(document), ObjectTable)


def test_the_name_comes_first_and_wide_columns_are_left_out():
    known = table("x", "Ready", "web", "2026-11-30T23:16:39Z")
    shown = shown_columns(known)
    assert [layout_column(known.column_definitions[index]).title for index in shown] == ["NAME", "STATUS", "AGE"]
    (row,) = rows_of(known, shown, clock=Clock(now=lambda: NOW_NS))
    assert row.key == "a/web"
    assert row.matches("app=x")


def test_hostile_cells_and_short_rows_do_no_harm():
    known = table("x", "bad\x1b[2J\n\u202e")
    (row,) = rows_of(known, shown_columns(known), clock=Clock(now=lambda: NOW_NS))
    text = "".join(piece.text for cells in row.cells for piece in cells)
    assert "\x1b" not in text
    assert "\n" not in text
    assert len(row.cells) == 3
