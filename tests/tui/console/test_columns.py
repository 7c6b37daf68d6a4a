"""Tables for pipes and for terminals."""

from __future__ import annotations

import io

from rich.console import Console

from pyd_tui.console.columns import Cell, TableColumn, fitted, plain

COLUMNS = (
    TableColumn(title="NAME", cut=8),
    TableColumn(title="SIZE", right=True),
    TableColumn(title="NOTE", cut=8, rank=2),
    TableColumn(title="EXTRA", rank=1),
)


def _drawn(rows: list[list[Cell]], width: int, *, hide_empty: bool = True) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=width, markup=False, highlight=False, color_system=None)
    console.print(fitted(COLUMNS, rows, width, hide_empty=hide_empty))
    return out.getvalue().splitlines()


def _row(name: str, size: str = "1", note: str = "", extra: str = "") -> list[Cell]:
    return [Cell(name), Cell(size), Cell(note), Cell(extra)]


def test_plain_columns_are_aligned_and_never_cut():
    long = "n" * 300
    assert plain(COLUMNS, [_row("a", "10"), _row(long, "1", "x")]).splitlines() == [
        f"{'NAME':<300}  SIZE  NOTE  EXTRA",
        f"{'a':<300}    10",
        f"{long}     1  x",
    ]


def test_a_terminal_hides_columns_without_text_only_when_asked():
    assert _drawn([_row("a")], 80)[0].split() == ["NAME", "SIZE"]
    assert _drawn([_row("a")], 80, hide_empty=False)[0].split() == ["NAME", "SIZE", "NOTE", "EXTRA"]


def test_an_empty_table_has_a_heading():
    assert _drawn([], 80)[0].split() == ["NAME", "SIZE", "NOTE", "EXTRA"]


def test_a_narrow_terminal_cuts_with_an_ellipsis_and_then_loses_columns_by_rank():
    rows = [_row("a-rather-long-name", "1", "a rather long note", "extra")]
    assert "…" in _drawn(rows, 40)[1]
    assert "EXTRA" in _drawn(rows, 34)[0]
    narrow = _drawn(rows, 25)
    assert narrow[0].split() == ["NAME", "SIZE", "EXTRA"]
    assert _drawn(rows, 16)[0].split() == ["NAME", "SIZE"]
    assert all(len(line) <= 25 for line in narrow)


def test_wide_characters_do_not_break_the_lines():
    assert len(_drawn([_row("容器" * 40, "1")], 30)) == 2


def test_both_kinds_of_table_sanitise_hostile_text():
    hostile = "\x1b]0;owned\x07\x1b[2J[bold]x[/bold]\nsecond\u202eline\x9b"
    for text in (plain(COLUMNS, [_row(hostile)]), "\n".join(_drawn([_row(hostile)], 120))):
        assert len(text.splitlines()) == 2
        assert not set(text) & set("\x1b\x07\x9b\u202e")
        assert "[bold]x[/bold]" in text


def test_a_column_that_wraps_loses_nothing_on_a_narrow_terminal():
    columns = (TableColumn(title="NAME"), TableColumn(title="VALUE", cut=20, wrap=True))
    words = " ".join(f"CAP_{number}" for number in range(40))
    out = io.StringIO()
    Console(file=out, width=40, color_system=None).print(fitted(columns, [[Cell("a"), Cell(words)]], 40))
    assert "".join(out.getvalue().split()).removeprefix("NAMEVALUEa") == words.replace(" ", "")
    assert max(map(len, out.getvalue().splitlines())) <= 40
