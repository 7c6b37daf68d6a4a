from __future__ import annotations

from pyd_core.kube.model.table import ObjectTable, TableColumnDefinition
from pyd_core.model.base import decode, encode
from pyd_tui.dashboard.render.figures import Clock
from pyd_tui.dashboard.render.layout import arrange
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


CLAIMS = ("Name", "Status", "Volume", "Capacity", "Access Modes", "StorageClass", "VolumeAttributesClass", "Age")


def test_the_status_stays_where_classes_and_blank_columns_go():
    definitions = [
        TableColumnDefinition(name=name, type="string", format="name" if name == "Name" else "") for name in CLAIMS
    ]
    columns = [layout_column(definition, position) for position, definition in enumerate(definitions)]
    widths = {column.key: max(6, len(column.title)) for column in columns} | {"volume": 0}
    orders = [[placed.column.title for placed in arrange(columns, room, widths)] for room in (200, 75, 50, 40, 24)]
    assert orders == [
        [name.upper() for name in CLAIMS if name != "Volume"],
        ["NAME", "STATUS", "CAPACITY", "ACCESS MODES", "STORAGECLASS", "AGE"],
        ["NAME", "STATUS", "CAPACITY", "ACCESS MODES", "AGE"],
        ["NAME", "STATUS", "CAPACITY", "AGE"],
        ["NAME", "STATUS", "AGE"],
    ]


def test_absent_values_are_blank_and_the_age_is_that_of_the_object():
    document = {
        "columnDefinitions": [
            {"name": "Name", "type": "string", "format": "name"},
            {"name": "External-IP", "type": "string"},
            {"name": "Age", "type": "string"},
        ],
        "rows": [
            {
                "cells": ["web", "<none>", "5h30m"],
                "object": {"metadata": {"name": "web", "creationTimestamp": "2026-11-30T17:00:00Z"}},
            }
        ],
    }
    known = decode(encode(document), ObjectTable)
    (row,) = rows_of(known, shown_columns(known), clock=Clock(now=lambda: NOW_NS))
    assert ["".join(piece.text for piece in cells) for cells in row.cells] == ["web", "", "6h"]
