"""Lines of the log screen: search, filters, copies, fields and wrapping."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pyd_tui.dashboard.actions.clipboard import MAX_CLIPBOARD_BYTES, clipboard_works
from pyd_tui.dashboard.panels.logview import LogView
from pyd_tui.dashboard.render.pieces import Span, width
from pyd_tui.dashboard.widgets.wrap import wrap_spans
from support.log_screen import chatter, log, shop


async def test_find_highlights_matches_in_context_and_counts_k_of_n():
    engine = shop()
    chatter(engine)
    async with log(engine) as it:
        await it.lines(100)
        await it.find("ERROR")
        assert it.cursor.endswith("n=93")
        assert "/ERROR 10 of 10" in it.dashboard.text
        assert "n=92" in it.dashboard.text
        await it.dashboard.press("N")
        assert "9 of 10" in it.dashboard.text
        await it.dashboard.press("n", "n")
        assert it.cursor.endswith("n=3")
        engine.print("shop-db", "another error")
        await it.dashboard.until_shown("1 of 11")
        await it.dashboard.press("escape")
        assert "of 11" not in it.dashboard.text


async def test_a_pattern_can_be_text_or_an_expression_with_or_without_case():
    engine = shop()
    for line in ("a.c", "abc", "ABC"):
        engine.print("shop-db", line)
    async with log(engine) as it:
        await it.lines(3)
        await it.dashboard.press("slash")
        await it.dashboard.type("a.c")
        counts = []
        for _ in range(4):
            assert it.book.search is not None
            counts.append(len(it.book.search))
            await it.dashboard.press("ctrl+g")
        assert counts == [1, 1, 3, 2]
        await it.dashboard.press("ctrl+g", "ctrl+g", "ctrl+u", "left_parenthesis")
        assert "not a regular expression" in it.dashboard.text


async def test_filters_stack_with_context_and_the_log_is_never_read_again():
    engine = shop()
    chatter(engine)
    async with log(engine) as it:
        await it.lines(100)
        requests_before = list(engine.requests)
        await it.keep("level>=error")
        assert [line[-4:].strip() for line in it.shown[:2]] == ["n=3", "n=13"]
        await it.keep("!n=13")
        assert [line[-4:].strip() for line in it.shown[:2]] == ["n=3", "n=23"]
        await it.dashboard.press("plus")
        assert [line[-4:].strip() for line in it.shown[:4]] == ["n=2", "n=3", "n=4", "n=22"]
        assert "&level>=error" in it.dashboard.text
        assert "!n=13" in it.dashboard.text
        engine.print("shop-db", "level=error msg=late n=200")
        await it.dashboard.until(lambda: it.shown[-1].endswith("n=200"))
        await it.dashboard.press("minus", "backspace", "backspace")
        assert len(it.shown) == 101
        assert [request for request in engine.requests if "/logs" in request] == [
            request for request in requests_before if "/logs" in request
        ]


async def test_an_invalid_filter_is_reported_and_changes_nothing():
    engine = shop()
    chatter(engine, 3)
    async with log(engine) as it:
        await it.lines(3)
        await it.keep("level>=loud")
        assert "no level: loud" in it.dashboard.message
        assert len(it.shown) == 3


async def test_a_selection_marks_and_the_line_under_the_cursor_are_copied():
    engine = shop()
    engine.print("shop-db", "one")
    engine.print("shop-db", b"\x1b[31mtwo\x1b[0m\x1b]52;c;eA==\x07")
    engine.print("shop-db", "three")
    async with log(engine) as it:
        await it.lines(3)
        await it.dashboard.press("k", "c")
        assert it.dashboard.app.clipboard == "two␛]52;c;eA==␇"
        assert "copied the line" in it.dashboard.message
        await it.dashboard.press("v", "k", "c")
        assert it.dashboard.app.clipboard.split("\n") == ["one", "two␛]52;c;eA==␇"]
        await it.dashboard.press("space", "G", "space", "c")
        assert it.dashboard.app.clipboard == "one\nthree"


async def test_text_too_long_for_the_clipboard_goes_to_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pyd_tui.dashboard.actions.clipboard.log_directory", lambda: tmp_path)
    engine = shop()
    engine.print("shop-db", b"x" * (MAX_CLIPBOARD_BYTES + 1))
    async with log(engine) as it:
        await it.lines(1)
        await it.dashboard.press("c")
        assert "too much for the clipboard" in it.dashboard.message
        assert it.dashboard.app.clipboard == ""
        (written,) = tmp_path.iterdir()  # noqa: ASYNC240 - a test may wait
        assert written.read_text().endswith("x" * (MAX_CLIPBOARD_BYTES + 1) + "\n")
        assert written.stat().st_mode & 0o777 == 0o600
        await it.dashboard.press("ctrl+s")
        assert len(list(tmp_path.iterdir())) == 2  # noqa: ASYNC240 - a test may wait


def test_terminals_without_a_clipboard_are_recognised():
    assert clipboard_works({"TERM": "xterm-256color"})
    assert not clipboard_works({"TERM": "linux"})


async def test_a_filtered_log_that_does_not_follow_never_moves():
    engine = shop()
    chatter(engine)
    async with log(engine, size=(120, 12)) as it:
        await it.lines(100)
        await it.dashboard.press("k", "k")
        await it.keep("level>=error")
        assert len(it.shown) == 10
        top, first = it.view.top, it.book.shown.number(it.view.top)
        assert top == it.view.highest_top > 0
        for number in range(3):
            engine.print("shop-db", f"level=error msg=more n={number}")
        await it.dashboard.until(lambda: len(it.shown) == 13)
        await it.dashboard.pilot.pause(0.2)  # a frame; without it nothing could have moved yet
        assert (it.view.top, it.book.shown.number(it.view.top)) == (top, first)


async def test_a_log_line_takes_one_row():
    engine = shop()
    engine.print("shop-db", "level=error msg=only")
    async with log(engine) as it:
        await it.lines(1)
        await it.dashboard.until_shown(" 1 line  following")
        await it.keep("only")
        await it.dashboard.until_shown("1 of 1 line ")
        await it.dashboard.press("plus")
        await it.dashboard.until_shown("±1 line around")


async def test_a_line_of_a_megabyte_is_shown_without_a_freeze():
    engine = shop()
    engine.print("shop-db", b"y" * (2**20 - 3) + b"END")
    async with log(engine) as it:
        await it.lines(1)
        assert "1,040,384 more bytes" in it.dashboard.app.screen.query_one(LogView).draw(it.book.store[0])[-1].text
        await it.dashboard.press("W")
        assert "y" * 50 in it.dashboard.text
        await it.dashboard.press("enter")
        await it.dashboard.until_shown("1,048,576")
        await it.dashboard.press("G")
        await it.dashboard.until_shown("END")


async def test_enter_unfolds_the_fields_of_a_line_and_columns_show_them_in_the_list():
    engine = shop()
    engine.print("shop-db", json.dumps({"level": "warn", "msg": "slow", "http": {"status": 503}, "evil": "\x1b[2J[b]"}))
    async with log(engine) as it:
        await it.lines(1)
        assert "WARN  slow  http.status=503  evil=␛[2J[b]" in it.dashboard.text
        await it.dashboard.press("enter")
        await it.dashboard.until_shown("http.status        503")
        await it.dashboard.press("c", "q")
        assert it.dashboard.app.clipboard.startswith('{"level": "warn"')
        await it.dashboard.press("J")
        assert '{"level": "warn"' in it.dashboard.text


@pytest.mark.parametrize("text", ["abcdefghij" * 9, "日本語のテキスト" * 9, "a日b" * 20, "x"])
@pytest.mark.parametrize("columns", [8, 9, 33])
def test_wrapped_rows_fit_and_add_up_to_the_line(text: str, columns: int):
    rows = wrap_spans((Span(text[:7]), Span(text[7:], "dim")), columns, max_rows=99, indent=2)
    assert all(width(row) <= columns for row in rows)
    assert "".join(piece.text for row in rows for piece in row).replace("  ", "") == text
