"""The place in a log: days, both directions without end, and finding what isn't loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyd_tui.dashboard.logs import logbook, window
from support.dashboard import NOW_NS, opened
from support.log_screen import log, shop
from support.scripted_engine import START_NS, ScriptedEngine

if TYPE_CHECKING:
    import pytest

DAY_NS = 86_400 * 10**9


def numbered(count: int, *, needle: int = -1) -> ScriptedEngine:
    """An engine with a long log, one line of which has a needle."""
    engine = shop()
    for number in range(count):
        suffix = " needle" if number == needle else ""
        engine.print("shop-db", f"line {number}{suffix}", time_ns=START_NS + number * 10**9)
    return engine


async def test_a_rule_separates_the_days_of_a_log():
    engine = shop()
    for days in (6, 3, 3, 0):
        engine.print("shop-db", f"{days} days ago", time_ns=NOW_NS - days * DAY_NS)
    async with log(engine) as it:
        await it.lines(5)  # with its start
        rows = [row.strip() for row in it.dashboard.text.split("\n")]
        kinds = [row if row.startswith("──") else row[9:].strip() for row in rows if row.endswith(("──", "ago"))]
        assert kinds == [
            "── Thu 9 Nov ──", "6 days ago", "── Sun 12 Nov ──", "3 days ago", "3 days ago",
            "── Tue 14 Nov ──", "── shop-db started ──", "── Wed 15 Nov ──", "0 days ago",
        ]  # fmt: skip


async def test_the_cursor_is_visible_on_every_line_of_a_log_with_a_rule_at_each():
    engine = shop()
    for days in range(40, 0, -1):
        engine.print("shop-db", f"{days} days ago", time_ns=NOW_NS - days * DAY_NS)
    async with log(engine) as it:
        await it.lines(40)
        assert "1 days ago" in it.dashboard.text
        for _ in range(39):
            await it.dashboard.press("k")
            row = next(row for row in it.dashboard.text.split("\n") if "▸" in row)
            assert row.rstrip("┃ ").endswith(it.cursor)
        assert it.cursor == "40 days ago"


async def test_reading_from_the_start_goes_on_to_the_end_as_the_cursor_comes_near(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(logbook, "AHEAD_LINES", 1500)
    async with log(numbered(4000)) as it:
        await it.dashboard.press("1")
        await it.dashboard.until_shown("more below")
        assert it.cursor == "line 0"
        while it.cursor != "line 3999":
            before = it.cursor
            await it.dashboard.press(*["ctrl+d"] * 20)
            await it.dashboard.until(lambda: it.cursor != before)  # noqa: B023 - evaluated in this round
        await it.dashboard.until_shown("4,000 lines")
        assert "more below" not in it.dashboard.text


async def test_g_goes_to_the_first_line_and_shift_g_to_the_last(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(logbook, "AHEAD_LINES", 1500)
    async with log(numbered(4000)) as it:
        await it.lines(1000)
        await it.dashboard.press("g")
        await it.dashboard.until(lambda: it.cursor == "line 0")
        await it.dashboard.until_shown("more below")
        await it.dashboard.press("G")
        await it.dashboard.until(lambda: it.cursor == "line 3999")
        await it.dashboard.until_shown("following")


async def test_shift_g_reads_the_end_while_lines_from_the_start_still_arrive():
    async with log(numbered(4000)) as it:
        await it.lines(1000)
        await it.dashboard.press("g")
        await it.dashboard.until(lambda: it.cursor == "line 0")
        await it.dashboard.press("G")
        await it.dashboard.until(lambda: it.book.window is window.TAIL)
        await it.dashboard.until(lambda: it.cursor == "line 3999")


async def test_a_search_without_a_match_goes_on_in_the_older_lines():
    async with log(numbered(5000, needle=700)) as it:
        await it.lines(1000)
        await it.dashboard.press("slash")
        await it.dashboard.type("needle")
        await it.dashboard.until_shown("not in the last 1,000 lines - enter searches older ones")
        await it.dashboard.press("enter")
        await it.dashboard.until(lambda: it.cursor == "line 700 needle")
        await it.dashboard.until_shown("/needle 1 of 1")
        await it.dashboard.press("N")
        await it.dashboard.until_shown("no match in the older lines")


async def test_a_search_goes_on_in_the_newer_lines_after_the_last_loaded_match(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(logbook, "AHEAD_LINES", 1500)
    engine = numbered(4000, needle=3)
    engine.print("shop-db", "the other needle", time_ns=START_NS + 5000 * 10**9)
    async with log(engine) as it:
        await it.dashboard.press("1")
        await it.dashboard.until_shown("more below")
        await it.find("needle")
        assert it.cursor == "line 3 needle"
        await it.dashboard.press("n")
        await it.dashboard.until(lambda: it.cursor == "the other needle")


async def test_a_search_from_the_end_begins_at_the_end():
    engine = shop()
    for number in range(300):
        engine.print("shop-db", f"line {number} {'needle' if number % 100 == 7 else ''}")
    async with log(engine) as it:
        await it.lines(300)
        await it.find("needle")
        assert it.cursor.startswith("line 207")
        await it.dashboard.press("N")
        assert it.cursor.startswith("line 107")


async def test_the_merged_logs_of_containers_are_read_back_in_order(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(window, "AROUND_NS", 10**9)
    engine = shop()
    for number in range(3000):
        name = "shop-web" if number % 3 else "shop-db"
        engine.print(name, f"line {number}", time_ns=START_NS + number * 10**9)
    async with log(engine, "space", "space", "l") as it:
        await it.dashboard.until(lambda: len(it.book.store) == 2000)
        await it.dashboard.press(*["ctrl+u"] * 300)
        await it.dashboard.until(lambda: it.book.at_start)
        numbers = [int(line.rpartition(" ")[2]) for line in it.shown]
        assert numbers == sorted(numbers)
        assert numbers[0] == 0


async def test_the_log_of_an_exited_container_has_ended():
    engine = shop()
    engine.print("shop-db", "last words")
    async with log(engine) as it:
        await it.dashboard.until_shown("following")
        engine.die("shop-db", 1)
        await it.dashboard.until_shown("died, exit 1")
        await it.dashboard.until(lambda: "ended" in it.dashboard.text)
        assert "following" not in it.dashboard.text


async def test_the_log_of_a_container_that_was_never_started_is_not_started_yet():
    engine = ScriptedEngine()
    engine.add("shop-fresh", state="created")
    async with log(engine) as it:
        await it.dashboard.until(lambda: it.dashboard.text.count("not started yet") == 2)
        assert "ended" not in it.dashboard.text


async def test_the_pane_of_a_lost_engine_does_not_follow():
    engine = shop()
    engine.print("shop-db", "last words")
    async with opened(engine) as dashboard:
        await dashboard.until_shown("following")
        engine.cut(down=True)
        await dashboard.until_shown("engine not reachable")
        assert "following" not in dashboard.text


async def test_selected_and_marked_lines_are_both_counted():
    engine = shop()
    for number in range(5):
        engine.print("shop-db", f"line {number}")
    async with log(engine) as it:
        await it.lines(5)
        await it.dashboard.press("space", "k", "space", "v", "k", "k")
        await it.dashboard.until_shown("3 selected, 2 marked")


async def test_filters_that_hide_every_line_name_the_key_that_removes_them():
    engine = shop()
    engine.print("shop-db", "last words")
    async with log(engine) as it:
        await it.lines(1)
        await it.dashboard.press("ampersand")
        await it.dashboard.type("nope")
        await it.dashboard.press("enter")
        await it.dashboard.until_shown("no line matches the filters  ⌫ removes the last filter")


async def test_the_scroll_bar_shows_where_the_errors_are():
    engine = shop()
    for number in range(600):
        engine.print("shop-db", f"level={'error' if number == 300 else 'info'} msg=query n={number}")
    async with log(engine) as it:
        await it.lines(600)

        def marked_rows() -> list[int]:
            rows = it.dashboard.text.split("\n")
            return [number for number, row in enumerate(rows) if row.rstrip().endswith("╎")]

        await it.dashboard.until(lambda: len(marked_rows()) == 1 and 13 <= marked_rows()[0] <= 18)


async def test_scrolling_sideways_keeps_time_and_level_in_place():
    engine = shop()
    engine.print("shop-db", "ERROR " + "x" * 30 + "y" * 200)
    async with log(engine) as it:
        await it.lines(1)
        before = next(row for row in it.dashboard.text.split("\n") if "xxx" in row)
        await it.dashboard.press("right", "right")
        after = next(row for row in it.dashboard.text.split("\n") if "yyy" in row)
        assert after[:12] == before[:12]
        assert "ERROR" not in after


async def test_fields_are_aligned_columns_by_default():
    engine = shop()
    engine.print("shop-db", '{"level":"info","msg":"short","status":200,"path":"/"}')
    engine.print("shop-db", '{"level":"error","msg":"a longer message","path":"/cart","status":500}')
    async with log(engine) as it:
        await it.lines(2)
        rows = [row for row in it.dashboard.text.split("\n") if "status=" in row]
        assert len({row.index("status=") for row in rows}) == 1
        assert len({row.index("path=") for row in rows}) == 1
        assert "ERROR a longer message" in rows[1]
        await it.dashboard.press("J")
        assert '{"level":"info"' in it.dashboard.text


async def test_lines_are_selected_with_the_mouse(
    monkeypatch: pytest.MonkeyPatch,
):
    copied: list[str] = []
    engine = shop()
    for number in range(10):
        engine.print("shop-db", f"line {number}")
    async with log(engine) as it:
        await it.lines(10)
        monkeypatch.setattr(it.dashboard.app, "copy_to_clipboard", copied.append)
        await it.dashboard.pilot.mouse_down("#log", offset=(5, 2))  # below the rule of the day
        await it.dashboard.pilot.hover("#log", offset=(5, 4))
        await it.dashboard.pilot.mouse_up("#log", offset=(5, 4))
        assert copied == ["line 1\nline 2\nline 3"]


async def test_a_filter_is_made_of_a_value_of_the_line_and_tab_offers_the_next():
    engine = shop()
    for number in range(20):
        engine.print("shop-db", f"level=info msg=query status={200 if number % 5 else 500} n={number}")
    async with log(engine) as it:
        await it.lines(20)
        await it.dashboard.press("k", "k", "k", "k", "equals_sign")
        await it.dashboard.until_shown("& level=info")
        await it.dashboard.press("tab", "tab", "enter")
        assert it.book.shown.filters.stack[0].tests[0].text == "status=500"
        assert [line.split()[-1] for line in it.shown] == ["n=0", "n=5", "n=10", "n=15"]
