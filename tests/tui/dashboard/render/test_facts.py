from __future__ import annotations

import pytest

from pyd_core.watch.delta import ConnectionState
from pyd_tui.dashboard.render.facts import sentence_fact
from pyd_tui.dashboard.render.notice import notice
from pyd_tui.dashboard.render.pieces import Cell, width


def text(line: Cell) -> str:
    return "".join(piece.text for piece in line)


def test_a_long_sentence_is_wrapped_below_its_value():
    lines = sentence_fact("error", "no suitable node for the \x1b[2J constraints of this task", 40)
    assert all(width(line) <= 40 for line in lines)
    assert len(lines) == 3
    assert text(lines[0]).startswith(" error         no suitable")
    assert all(text(line).startswith(" " * 15) for line in lines[1:])
    assert "\x1b" not in "".join(map(text, lines))


def test_a_path_is_never_broken():
    assert len(sentence_fact("image", "registry.example.com/" + "a" * 80, 40)) == 1


@pytest.mark.parametrize("family", ["engine", "cluster", "node"])
def test_the_notice_of_an_empty_list_fits_a_narrow_screen(family: str):
    state = ConnectionState(state="live", since_ns=0)
    lines = notice(state, total=0, filtered="", room=52, demo_key="D", family=family)
    assert all(width(line) <= 52 for line in lines)
    assert any("demo" in text(line) for line in lines)
    assert text(lines[-1]).startswith("  ")
