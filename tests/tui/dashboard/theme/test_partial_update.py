"""The terminal output of updates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from pyd_tui.config.settings import UserSettings
from pyd_tui.dashboard.app import Dashboard
from pyd_tui.dashboard.startup.startup_state import StartupState
from pyd_tui.dashboard.theme.partial_update import MAX_GAP_CELLS, FullUpdate, TerminalContents, TightUpdate
from support.dashboard import opened
from support.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.screen import Screen


def parts(written: TerminalContents, text: str, style: str = "", x: int = 0) -> list[tuple[int, int]]:
    return [*written.differing(0, x, Strip([Segment(text, Style.parse(style))]))]


def test_only_differing_cells_are_written():
    written = TerminalContents()
    assert parts(written, "line 1 of web   ") == [(0, 16)]
    assert parts(written, "line 1 of web   ") == []
    assert parts(written, "line 2 of web   ") == [(5, 6)]
    assert parts(written, "of", x=7) == []
    assert parts(written, "line 2 of db    ") == [(10, 13)]


def test_a_colour_differs_as_a_character_does():
    written = TerminalContents()
    parts(written, "web")
    assert parts(written, "web", "bold red") == [(0, 3)]
    assert parts(written, "web", "bold red") == []


def test_distant_cells_are_written_separately_and_near_ones_together():
    written = TerminalContents()
    parts(written, " " * 200)
    assert parts(written, "a" + " " * MAX_GAP_CELLS + "b" + " " * (198 - MAX_GAP_CELLS)) == [
        (0, 1),
        (MAX_GAP_CELLS + 1, MAX_GAP_CELLS + 2),
    ]
    assert parts(written, "c" + " " * (MAX_GAP_CELLS - 1) + "d" + " " * (199 - MAX_GAP_CELLS)) == [
        (0, MAX_GAP_CELLS + 2)
    ]


@pytest.mark.parametrize("text", ["日本", "e\u0301", "a\u200bb"])
def test_runs_with_zero_width_or_wide_characters_are_written_in_full(text: str):
    written = TerminalContents()
    strip = Strip([Segment(text), Segment("x" * 20)])
    whole = [(0, strip.cell_length)]
    assert [*written.differing(0, 0, strip)] == whole
    assert [*written.differing(0, 0, strip)] == whole
    assert parts(written, "y" * 20) == [(0, 20)]


async def test_an_update_writes_nothing_but_the_cells_that_changed():
    async with opened(ScriptedEngine()) as dashboard:
        console, written = dashboard.app.console, TerminalContents()

        def update(text: str, first: int, last: int) -> str:
            chops = [{}, {0: Strip([Segment(text)])}]
            return TightUpdate.of(ChopsUpdate(chops, [(1, first, last)], [[], [120]]), written).render_segments(console)

        assert Text.from_ansi(update("db  running", 4, 11).removeprefix("\x1b[2;5H")).plain == "running"
        assert update("db  running", 4, 11) == ""
        assert Text.from_ansi(update("db  rushing", 0, 11).removeprefix("\x1b[2;1H")).plain == "db  rush"
        assert Text.from_ansi(update("db  running", 0, 11).removeprefix("\x1b[2;7H")).plain == "nn"

        whole = LayoutUpdate([[Strip([Segment("one")])], [Strip([Segment("two")])]], Region(0, 0, 3, 2))
        assert Text.from_ansi(FullUpdate.of(whole, written).render_segments(console)).plain.split() == ["one", "two"]
        assert update("two", 0, 3) == ""
        assert update("db  running", 0, 11) != "", "cells that the full update did not contain are unknown"


def measured(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect the output of each update from now on."""
    sent: list[int] = []
    display, written = Dashboard._display, TerminalContents()

    def counted(app: Dashboard, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if isinstance(renderable, ChopsUpdate):
            sent.append(len(TightUpdate.of(renderable, written).render_segments(app.console).encode()))
        elif renderable is not None:
            sent.append(1 << 20)  # the whole screen
        display(app, screen, renderable)

    monkeypatch.setattr(Dashboard, "_display", counted)
    return sent


BELOW = StartupState(settings=UserSettings(layout="below"))
"""The log below the list, which shows as many rows as an engine elsewhere measures at a time."""


def fifty() -> ScriptedEngine:
    engine = ScriptedEngine()
    for number in range(50):
        engine.add(f"box-{number:02}", image="registry.example.com/team/service:1.4.2", health="healthy")
    return engine


async def test_a_move_of_the_cursor_sends_the_terminal_no_more_than_two_kilobytes(monkeypatch: pytest.MonkeyPatch):
    engine = fifty()
    async with opened(engine, size=(200, 50), beginning=BELOW) as dashboard:
        await dashboard.measured(engine)
        await dashboard.press("V")  # the log below would follow the cursor
        await dashboard.at_rest(0.3)
        sent = measured(monkeypatch)
        for key in ("j", "j", "k", "j"):
            sent.clear()
            before = dashboard.cursor
            await dashboard.press(key)
            await dashboard.at_rest(0.3)
            assert dashboard.cursor != before
            assert 0 < sum(sent) <= 2048, sent


async def test_the_next_log_is_painted_over_the_last_and_costs_two_kilobytes_more(
    monkeypatch: pytest.MonkeyPatch,
):
    engine = fifty()
    for number in range(50):
        for line in range(60):
            engine.print(
                f"box-{number:02}", f"line {line} of box {number}: GET /api/v1/things/{line} 200 in {number} ms"
            )
    async with opened(engine, size=(200, 50), beginning=BELOW) as dashboard:
        await dashboard.measured(engine)
        sent = measured(monkeypatch)
        for key in ("j", "k"):  # fills the record of written cells
            await dashboard.press(key)
            await dashboard.settled(engine)
        costs: list[int] = []
        for key in ("j", "j", "k", "j"):
            sent.clear()
            await dashboard.press(key)
            await dashboard.until_shown(f"line 59 of box {dashboard.table.index}")
            await dashboard.settled(engine)
            costs.append(sum(sent))
        assert min(costs) <= 4096, costs  # where a log takes longer than a frame to answer, the pane is empty till then
