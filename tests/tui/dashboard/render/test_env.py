from __future__ import annotations

import pytest

from pyd_tui.dashboard.render.env import MASK, env
from pyd_tui.dashboard.render.pieces import MAX_WRAPPED_LINES, Span, cell, width, wrap


def lines(*variables: str, room: int) -> list[str]:
    return ["".join(piece.text for piece in line) for line in env(list(variables), unmasked=False, room=room)]


def test_a_long_value_is_wrapped_below_its_first_line():
    assert lines("A=" + "x" * 25, "B=1", room=14) == [
        "",
        f" A  {'x' * 10}",
        f"    {'x' * 10}",
        f"    {'x' * 5}",
        " B  1",
    ]


def test_a_value_that_does_not_fit_after_a_long_name_begins_below_it():
    name = "N" * 50
    shown = lines(f"{name}={'x' * 60}", room=100)
    assert [line.strip() for line in shown] == ["", name, "x" * 57, "xxx"]
    assert lines(f"{name}=short", room=100) == ["", f" {name}  short"]


def test_a_masked_password_is_never_broken_up_into_its_characters():
    shown = "".join(line.strip() for line in lines(f"URL=http://u:secret@host/{'p' * 40}", room=30))
    assert f"http://u:{MASK}@host/" in shown
    assert "secret" not in shown


@pytest.mark.parametrize("text", ["a" * 31, "漢字" * 9, "a漢" * 9, "e\u0301" * 30])
def test_wrapped_text_is_complete_and_fits(text: str):
    wrapped = wrap((*cell(text[:7]), Span(text[7:], "dim")), 10)
    assert all(width(line) <= 10 for line in wrapped)
    assert "".join(piece.text for line in wrapped for piece in line) == text


def test_the_lines_of_one_text_are_limited():
    wrapped = wrap(cell("x" * 10_000), 10)
    assert len(wrapped) == MAX_WRAPPED_LINES
    assert sum(map(width, wrapped)) == 10_000


def test_a_wide_character_in_a_single_column_ends_the_wrapping():
    assert wrap(cell("漢字"), 1) == [cell("漢字")]
