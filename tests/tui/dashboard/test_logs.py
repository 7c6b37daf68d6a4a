"""The log screen by keyboard: its lines, following, and older lines."""

from __future__ import annotations

from pyd_tui.dashboard.screens.logs import LogScreen
from support.dashboard import NOW_NS
from support.log_screen import chatter, log, shop
from support.scripted_engine import START_NS


async def test_the_log_follows_its_end_and_stops_once_the_cursor_leaves_it():
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
        assert "paused" in it.dashboard.text
        await it.dashboard.press("G")
        assert it.cursor == "newest"
        engine.print("shop-db", "and on")
        await it.dashboard.until(lambda: it.cursor == "and on")


async def test_the_window_keys_read_their_part_of_the_log():
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
        await it.dashboard.until_shown("line 1 of 3")


async def test_older_lines_are_read_at_the_top_and_nothing_moves():
    engine = shop()
    for number in range(2500):
        engine.print("shop-db", f"line {number}", time_ns=START_NS + number)
    async with log(engine) as it:
        await it.lines(1000)
        assert it.shown[0] == "line 1500"
        for _ in range(80):
            await it.dashboard.press("ctrl+u")
        await it.lines(2000)
        for _ in range(80):
            await it.dashboard.press("ctrl+u")
        await it.lines(2500)
        assert it.shown == [f"line {number}" for number in range(2500)]


async def test_starts_and_deaths_are_shown_in_the_log_at_their_time():
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
        assert [line.strip("─ ").rpartition("── ")[2] for line in it.shown] == [
            "before", "last words", "shop-db died, exit 137", "shop-db started", "after",
        ]  # fmt: skip
        await it.dashboard.press("b")
        await it.dashboard.until_shown("before its last start")
        await it.lines(2)
        assert it.shown == ["before", "last words"]


async def test_the_logs_of_a_project_are_merged_in_order_of_time_and_can_be_soloed_or_muted():
    engine = shop()
    for number in range(6):
        engine.print("shop-web" if number % 2 else "shop-db", f"line {number}")
    engine.print("other", "not of it")
    async with log(engine, "L") as it:
        await it.dashboard.until(lambda: [line[-1] for line in it.shown] == list("012345"))
        assert "2 containers" in it.dashboard.text
        assert "web    " in it.dashboard.text
        await it.dashboard.press("k", "at")
        assert [line[-1] for line in it.shown] == list("024")
        await it.dashboard.press("at", "number_sign")
        assert len(it.shown) == 3
        await it.dashboard.press("number_sign")
        assert len(it.shown) == 3  # the last one stays
        await it.dashboard.press("escape")
        assert len(it.shown) == 6


async def test_marked_containers_are_merged_and_a_burst_loses_nothing():
    engine = shop()
    async with log(engine, "space", "space", "l") as it:
        assert len(it.screen.keys) == 2
        for number in range(3000):
            engine.print("shop-web" if number % 3 else "shop-db", f"line {number}")
        await it.lines(3000)
        assert [int(line.rpartition(" ")[2]) for line in it.shown] == list(range(3000))
        assert it.book.store.lost == 0


async def test_full_screen_shows_only_the_log():
    engine = shop()
    chatter(engine)
    async with log(engine) as it:
        await it.lines(100)
        await it.dashboard.press("z")
        assert len([row for row in it.dashboard.text.split("\n") if "query" in row]) == 30
        await it.dashboard.press("escape")
        assert "following" in it.dashboard.text


async def test_an_unreadable_log_is_reported_and_the_others_continue():
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
        await it.dashboard.press("W", "J")
        await it.keep("query")
        for size in ((80, 24), (60, 20), (40, 10), (12, 4), (3, 2), (1, 1), (120, 30)):
            await it.dashboard.resize(*size)
            await it.dashboard.press("k", "j", "G")
            assert all(len(row) <= size[0] for row in it.dashboard.text.split("\n"))


async def test_a_previous_run_without_output_is_reported():
    engine = shop()
    engine.print("shop-db", "since its start")
    async with log(engine) as it:
        await it.lines(1)
        await it.dashboard.press("b")
        await it.dashboard.until_shown("no lines before its last start")
