"""Sideways scrolling of long, wide, combining and hostile texts: columns stay aligned, and the end is reached."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len

from pyd_tui.dashboard.render.pieces import Span, cell, fit, slide, width
from pyd_tui.dashboard.widgets.rows import SIDE_STEP_COLUMNS
from pyd_tui.dashboard.widgets.table import Table
from support.dashboard import Opened, opened
from support.scenes import archive
from support.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from pyd_tui.dashboard.render.pieces import Cell

COMBINED = "e\u0301" * 200
TEXTS = {
    "plain": "a" * 9_990 + "-end.plain",
    "wide": "日本語" * 40 + "-end.wide",
    "narrow and wide": "a日" * 90 + "-end.mixed",
    "combining": COMBINED + "-end.combining",
    "escapes": "\x1b[2J\x1b]0;owned\x07" * 8 + "-end.escapes",
    "both ways": "\u202egnp" * 60 + "-end.bidi",
    "not utf-8": "caf\udce9" * 50 + "-end.bytes",
}
SHORT = "zz"
STEPS = 20
"""The steps to the ends of all texts but the longest."""


def lines(dashboard: Opened) -> list[str]:
    return [strip.text for strip in dashboard.app.screen._compositor.render_strips()]


def looked_at(dashboard: Opened, columns: int) -> str:
    """Return the screen, after checking that its lines have the terminal's width and no control characters."""
    for line in lines(dashboard):
        assert cell_len(line) == columns, line
        assert all(unicodedata.category(character) not in {"Cc", "Cf", "Cs"} for character in line), ascii(line)
    return dashboard.text


async def to_the_end(dashboard: Opened, table: Table[Any], key: str, columns: int) -> list[str]:
    """Scroll sideways to the ends of all texts, and return the screens seen."""
    seen = [looked_at(dashboard, columns)]
    for _ in range(STEPS):
        await dashboard.press(key)
        seen.append(looked_at(dashboard, columns))
    assert table.left == STEPS * SIDE_STEP_COLUMNS
    table._slide(1 << 30)
    await dashboard.pilot.pause()
    farthest = table.left
    await dashboard.press(key)
    assert table.left == farthest
    return [*seen, looked_at(dashboard, columns)]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_step_sideways_scrolls_exactly_its_columns(text: str):
    pieces: Cell = (Span("> "), *cell(text), Span(" <"))
    total = width(pieces)
    for columns in (*range(70), total - 1, total, total + 7):
        left = slide(pieces, columns)
        shown = "".join(piece.text for piece in left)
        assert width(left) == max(0, total - columns)
        assert not shown or not unicodedata.combining(shown[0])
        assert shown.lstrip() in "".join(piece.text for piece in pieces)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("from_start", [False, True])
def test_cut_text_has_its_width_and_the_rest_is_unchanged(text: str, from_start: bool):
    pieces = cell(text)
    whole = pieces[0].text
    for columns in range(1, 60):
        cut = "".join(piece.text for piece in fit(pieces, columns, cut_start=from_start))
        assert cell_len(cut) == columns
        rest = cut.replace("…", "").strip()
        assert whole.endswith(rest) if from_start else whole.startswith(rest)


async def test_file_names_scroll_sideways_to_their_ends():
    engine = ScriptedEngine()
    engine.add("web")
    names = [*TEXTS.values(), SHORT]
    engine.archives["/"] = archive("root/", {f"root/{name}": b"12345" for name in names})
    async with opened(engine, size=(80, 24)) as dashboard:
        await dashboard.measured(engine)
        await dashboard.press("enter", "F")
        await dashboard.until_shown(f"{len(names)} entries")
        await dashboard.at_rest(0.1)
        table = dashboard.app.screen.query_one("#files", Table)
        seen = await to_the_end(dashboard, table, "right", 80)
        for name in names[:-1]:
            end = name.rpartition("-")[2]
            assert any(end in text for text in seen), end
        assert "-end.plain" in seen[-1]
        assert all(len({line.index(" 5B") for line in _rows(text)}) == 1 for text in seen)
        table._slide(SIDE_STEP_COLUMNS - table.left)
        await dashboard.press("left")
        assert looked_at(dashboard, 80) == seen[0]


def _rows(text: str) -> list[str]:
    """Return the lines with a size, one character for each terminal column."""
    drawn = ["".join(character + "\0" * (cell_len(character) - 1) for character in line) for line in text.split("\n")]
    return [
        "".join(character for character in line if character == "\0" or cell_len(character))
        for line in drawn
        if " 5B" in line
    ]


async def test_inspect_values_scroll_sideways_to_their_ends():
    engine = ScriptedEngine()
    engine.add("web", labels={name: text.replace("\udce9", "e") for name, text in TEXTS.items()})
    async with opened(engine, size=(80, 24)) as dashboard:
        await dashboard.measured(engine)
        await dashboard.press("enter", "i")
        await dashboard.until_shown('"Id"')
        await dashboard.press("slash")
        await dashboard.type("both")
        await dashboard.press("enter")
        await dashboard.at_rest(0.1)
        table = dashboard.app.screen.query_one("#inspect", Table)
        seen = await to_the_end(dashboard, table, "right", 80)
        for end in ("end.wide", "end.mixed", "end.combining", "end.escapes", "end.bidi"):
            assert any(end in text for text in seen), end
        assert 'aaa"…' in seen[-1]  # values are cut on screen; copies are complete
        await dashboard.press("slash")
        await dashboard.press("ctrl+u")
        await dashboard.type('"plain"')
        await dashboard.press("enter", "y")
        assert dashboard.app.clipboard == TEXTS["plain"]
