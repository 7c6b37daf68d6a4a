"""The log screen by keyboard, over a scripted engine."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pyd_tui.dashboard.logbook import Logbook
from pyd_tui.dashboard.panels.logview import LogView
from pyd_tui.dashboard.render.pieces import Piece, width
from pyd_tui.dashboard.screens.logs import LogScreen
from pyd_tui.dashboard.takeaway import CLIPBOARD, clipboard_works
from pyd_tui.dashboard.widgets.wrap import wrapped
from support.dashboard import NOW_NS, Opened, opened
from support.scripted_engine import START_NS, ScriptedEngine

SHOP = {"com.docker.compose.project": "shop"}


def shop() -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.add("shop-db", labels=SHOP)
    engine.add("shop-web", labels=SHOP)
    engine.add("other")
    return engine


def chatter(engine: ScriptedEngine, count: int = 100) -> None:
    for number in range(count):
        level = "error" if number % 10 == 3 else "info"
        engine.print("shop-db", f"level={level} msg=query n={number}")


class Log:
    """The log screen that is open."""

    def __init__(self, dashboard: Opened) -> None:
        self.dashboard = dashboard
        screen = dashboard.app.screen
        assert isinstance(screen, LogScreen)
        self.screen = screen

    @property
    def book(self) -> Logbook:
        return self.screen.book

    @property
    def view(self) -> LogView:
        return self.screen.view

    @property
    def shown(self) -> list[str]:
        """All lines that pass the filters, on the screen or not."""
        shown = self.book.shown
        return [self.said(shown.number(at)) for at in range(len(shown))]

    def said(self, number: int) -> str:
        return self.screen._written(self.book.store[number], time=False)

    @property
    def cursor(self) -> str:
        cursor = self.view.cursor
        return "" if cursor is None else self.said(cursor)

    async def lines(self, count: int) -> None:
        """Waits until so many lines are held."""
        await self.dashboard.until(lambda: len(self.book.store) == count)
        await self.dashboard.until(lambda: self.book.shown.complete)

    async def keep(self, text: str) -> None:
        await self.dashboard.press("ampersand")
        await self.dashboard.type(text)
        await self.dashboard.press("enter")
        await self.dashboard.until(lambda: self.book.shown.complete)

    async def find(self, text: str) -> None:
        await self.dashboard.press("slash")
        await self.dashboard.type(text)
        await self.dashboard.press("enter")
        await self.dashboard.until(lambda: self.book.search is not None and self.book.search.complete)
        await self.dashboard.pilot.pause()


@asynccontextmanager
async def log(engine: ScriptedEngine, *keys: str, size: tuple[int, int] = (120, 30)) -> AsyncIterator[Log]:
    async with opened(engine, size=size) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == len(engine.containers))
        await dashboard.press("slash")
        await dashboard.type("shop")
        await dashboard.press("enter", *(keys or ("l",)))
        await dashboard.until(lambda: isinstance(dashboard.app.screen, LogScreen))
        yield Log(dashboard)


async def test_follows_the_end_and_holds_still_once_the_cursor_leaves_it():
    engine = shop()
    chatter(engine)
    async with log(engine) as it:
        await it.lines(100)
        assert it.cursor.endswith("n=99")
        assert "following" in it.dashboard.text
        await it.dashboard.press("k", "k")
        engine.print("shop-db", "newest")
        await it.lines(101)
        assert it.cursor.endswith("n=97")
        assert "holding still" in it.dashboard.text
        await it.dashboard.press("G")
        assert it.cursor == "newest"
        engine.print("shop-db", "and on")
        await it.dashboard.until(lambda: it.cursor == "and on")


async def test_find_marks_keeps_what_is_around_and_counts_k_of_n():
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


async def test_what_is_typed_can_be_taken_as_text_or_expression_with_case_or_without():
    engine = shop()
    for said in ("a.c", "abc", "ABC"):
        engine.print("shop-db", said)
    async with log(engine) as it:
        await it.lines(3)
        await it.dashboard.press("slash")
        await it.dashboard.type("a.c")
        counts = []
        for _ in range(4):
            assert it.book.search is not None
            counts.append(len(it.book.search))
            await it.dashboard.press("ctrl+r")
        assert counts == [1, 1, 3, 2]
        await it.dashboard.press("ctrl+r", "ctrl+r", "ctrl+u", "left_parenthesis")
        assert "not a regular expression" in it.dashboard.text


async def test_filters_stack_with_context_and_the_stream_is_never_asked_again():
    engine = shop()
    chatter(engine)
    async with log(engine) as it:
        await it.lines(100)
        asked = list(engine.requests)
        await it.keep("level>=error")
        assert [said[-4:].strip() for said in it.shown[:2]] == ["n=3", "n=13"]
        await it.keep("!n=13")
        assert [said[-4:].strip() for said in it.shown[:2]] == ["n=3", "n=23"]
        await it.dashboard.press("plus")
        assert [said[-4:].strip() for said in it.shown[:4]] == ["n=2", "n=3", "n=4", "n=22"]
        assert "&level>=error" in it.dashboard.text
        assert "!n=13" in it.dashboard.text
        engine.print("shop-db", "level=error msg=late n=200")
        await it.dashboard.until(lambda: it.shown[-1].endswith("n=200"))
        await it.dashboard.press("minus", "backspace", "backspace")
        assert len(it.shown) == 101
        assert [request for request in engine.requests if "/logs" in request] == [
            request for request in asked if "/logs" in request
        ]


async def test_a_filter_that_makes_no_sense_says_so_and_changes_nothing():
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
        await it.dashboard.press("m", "G", "m", "c")
        assert it.dashboard.app.clipboard == "one\nthree"


async def test_what_is_too_long_for_the_clipboard_goes_to_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pyd_tui.dashboard.takeaway.folder", lambda: tmp_path)
    engine = shop()
    engine.print("shop-db", b"x" * (CLIPBOARD + 1))
    async with log(engine) as it:
        await it.lines(1)
        await it.dashboard.press("c")
        assert "too much for the clipboard" in it.dashboard.message
        assert it.dashboard.app.clipboard == ""
        (written,) = tmp_path.iterdir()  # noqa: ASYNC240 - a test may wait
        assert written.read_text().endswith("x" * (CLIPBOARD + 1) + "\n")
        assert written.stat().st_mode & 0o777 == 0o600
        await it.dashboard.press("ctrl+s")
        assert len(list(tmp_path.iterdir())) == 2  # noqa: ASYNC240 - a test may wait


def test_terminals_without_a_clipboard_are_known():
    assert clipboard_works({"TERM": "xterm-256color"})
    assert not clipboard_works({"TERM": "linux"})


async def test_the_window_keys_ask_for_that_part_of_the_log():
    engine = shop()
    engine.print("shop-db", "long ago")
    engine.print("shop-db", "lately", time_ns=NOW_NS - 200 * 10**9)
    engine.print("shop-db", "just now", time_ns=NOW_NS - 10 * 10**9)
    async with log(engine) as it:
        await it.lines(3)
        for key, count in (("2", 1), ("3", 2), ("6", 2), ("1", 3), ("0", 3)):
            await it.dashboard.press(key)
            await it.lines(count)
        await it.dashboard.press("1")
        await it.dashboard.until_shown("not live")


async def test_nothing_moves_while_it_holds_still_at_the_end_of_what_a_filter_keeps():
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


async def test_one_line_is_one_line():
    engine = shop()
    engine.print("shop-db", "level=error msg=only")
    async with log(engine) as it:
        await it.lines(1)
        await it.dashboard.until_shown(" 1 line  following")
        await it.keep("only")
        await it.dashboard.until_shown("1 of 1 line ")
        await it.dashboard.press("plus")
        await it.dashboard.until_shown("±1 line around")


async def test_older_lines_are_asked_for_when_the_top_is_reached_and_nothing_moves():
    engine = shop()
    for number in range(2500):
        engine.print("shop-db", f"line {number}", time_ns=START_NS + number)
    async with log(engine) as it:
        await it.lines(1000)
        assert it.shown[0] == "line 1500"
        await it.dashboard.press("g")
        await it.lines(2000)
        assert it.cursor == "line 1500"
        await it.dashboard.press("g")
        await it.lines(2500)
        await it.dashboard.press("g")
        assert it.cursor == "line 0"
        assert it.shown == [f"line {number}" for number in range(2500)]


async def test_a_line_of_a_megabyte_neither_freezes_nor_is_lost():
    engine = shop()
    engine.print("shop-db", b"y" * (2**20 - 3) + b"END")
    async with log(engine) as it:
        await it.lines(1)
        assert "1,040,384 more bytes" in it.dashboard.app.screen.query_one(LogView).drawn(it.book.store[0])[-1].text
        await it.dashboard.press("w")
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
        await it.dashboard.press("J")
        assert "WARN  slow  http.status=503  evil=␛[2J[b]" in it.dashboard.text
        await it.dashboard.press("enter")
        await it.dashboard.until_shown("http.status        503")
        await it.dashboard.press("c", "q")
        assert it.dashboard.app.clipboard.startswith('{"level": "warn"')
        await it.dashboard.press("J")
        assert '{"level": "warn"' in it.dashboard.text


async def test_starts_and_deaths_stand_in_the_log_where_they_happened():
    engine = shop()
    engine.print("shop-db", "before")
    async with log(engine) as it:
        await it.lines(1)
        engine.print("shop-db", "last words")
        await it.lines(2)
        engine.die("shop-db", 137)
        await it.dashboard.until_shown("shop-db died, exit 137")
        engine.start("shop-db")
        await it.dashboard.until_shown("shop-db started")
        engine.print("shop-db", "after")
        await it.dashboard.until_shown("after")
        assert [said.strip("─ ").rpartition("── ")[2] for said in it.shown] == [
            "before", "last words", "shop-db died, exit 137", "shop-db started", "after",
        ]  # fmt: skip
        await it.dashboard.press("p")
        await it.dashboard.until_shown("before its last start")
        await it.lines(2)
        assert it.shown == ["before", "last words"]


async def test_the_logs_of_a_project_are_one_in_time_order_and_can_be_heard_alone_or_muted():
    engine = shop()
    for number in range(6):
        engine.print("shop-web" if number % 2 else "shop-db", f"line {number}")
    engine.print("other", "not of it")
    async with log(engine, "L") as it:
        await it.dashboard.until(lambda: [said[-1] for said in it.shown] == list("012345"))
        assert "2 containers" in it.dashboard.text
        assert "web    " in it.dashboard.text
        await it.dashboard.press("k", "S")
        assert [said[-1] for said in it.shown] == list("024")
        await it.dashboard.press("S", "M")
        assert len(it.shown) == 3
        await it.dashboard.press("M")
        assert len(it.shown) == 3  # never the last one
        await it.dashboard.press("escape")
        assert len(it.shown) == 6


async def test_marked_containers_are_merged_and_a_burst_loses_nothing():
    engine = shop()
    async with log(engine, "space", "space", "l") as it:
        assert len(it.screen.keys) == 2
        for number in range(3000):
            engine.print("shop-web" if number % 3 else "shop-db", f"line {number}")
        await it.lines(3000)
        assert [int(said.rpartition(" ")[2]) for said in it.shown] == list(range(3000))
        assert it.book.store.lost == 0


async def test_full_screen_leaves_nothing_but_the_log():
    engine = shop()
    chatter(engine)
    async with log(engine) as it:
        await it.lines(100)
        await it.dashboard.press("f")
        assert len([row for row in it.dashboard.text.split("\n") if "msg=query" in row]) == 30
        await it.dashboard.press("escape")
        assert "following" in it.dashboard.text


async def test_a_log_that_cannot_be_read_says_why_and_the_rest_goes_on():
    engine = shop()
    async with log(engine) as it:
        await it.dashboard.until_shown("no output yet")
        engine.remove("shop-db")
        await it.dashboard.until_shown("removed")
        await it.dashboard.press("0")
        await it.dashboard.until_shown("No such container")
        await it.dashboard.press("q")
        assert not isinstance(it.dashboard.app.screen, LogScreen)


async def test_every_size_down_to_a_few_cells_can_be_drawn():
    engine = shop()
    chatter(engine)
    async with log(engine, "L") as it:
        await it.lines(100)
        await it.dashboard.press("w", "J")
        await it.keep("query")
        for size in ((80, 24), (60, 20), (40, 10), (12, 4), (3, 2), (1, 1), (120, 30)):
            await it.dashboard.pilot.resize_terminal(*size)
            await it.dashboard.press("k", "j", "G")
            assert all(len(row) <= size[0] for row in it.dashboard.text.split("\n"))


@pytest.mark.parametrize("text", ["abcdefghij" * 9, "日本語のテキスト" * 9, "a日b" * 20, "x"])
@pytest.mark.parametrize("columns", [8, 9, 33])
def test_wrapped_rows_fit_and_together_are_the_line(text: str, columns: int):
    rows = wrapped((Piece(text[:7]), Piece(text[7:], "dim")), columns, most=99, indent=2)
    assert all(width(row) <= columns for row in rows)
    assert "".join(piece.text for row in rows for piece in row).replace("  ", "") == text


async def test_a_previous_run_of_which_nothing_is_kept_says_so():
    engine = shop()
    engine.print("shop-db", "since its start")
    async with log(engine) as it:
        await it.lines(1)
        await it.dashboard.press("p")
        await it.dashboard.until_shown("nothing before its last start is kept")
