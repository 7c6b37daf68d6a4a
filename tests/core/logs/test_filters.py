"""Filters and search against grep on the same text."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Sequence

import pytest

from pyd_core.client.gap import Gap
from pyd_core.errors import InvalidInput
from pyd_core.logs.filters import Filter, FilteredView, Filters, mute_all_except, parse_filter, value_filters
from pyd_core.logs.line import LogLine
from pyd_core.logs.pattern import LogPattern
from pyd_core.logs.search import Search
from pyd_core.logs.store import LogStore

WORDS = ["error", "Error", "ERROR:", "warn", "ok", "GET", "/api", "[x]", "a.c", "abc", "größe", "日本", "timeout", "$1"]


def text(count: int = 4000) -> list[str]:
    random.seed(4)
    return [" ".join(random.choices(WORDS, k=random.randint(0, 5))) for _ in range(count)]


def line(text: str, number: int = 0, container: str = "a") -> LogLine:
    return LogLine(container, container, "stdout", number, text.encode())


def store_of(lines: Sequence[str], **more: int) -> LogStore:
    store = LogStore(**more)
    store.add(line(output, number) for number, output in enumerate(lines))
    return store


def grep(lines: Sequence[str], *arguments: str) -> list[int]:
    """The numbers of the lines, counted from 0."""
    done = subprocess.run(
        ["grep", "-n", *arguments], input="\n".join(lines) + "\n", text=True, capture_output=True, check=False,
        env={"LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert done.returncode < 2, done.stderr
    result = [row for row in done.stdout.splitlines() if row != "--"]
    return [int("".join(row[: row.index(next(c for c in row if not c.isdigit()))])) - 1 for row in result]


def shown(sieve: FilteredView) -> list[int]:
    while not sieve.advance(777):
        pass
    return [sieve.number(index) for index in range(len(sieve))]


PATTERNS = [
    (LogPattern("error"), ["-F", "-i"]),
    (LogPattern("Error", case_sensitive=True), ["-F"]),
    (LogPattern("a.c"), ["-F", "-i"]),
    (LogPattern("[x]"), ["-F", "-i"]),
    (LogPattern("GRÖSSE".replace("SS", "ß")), ["-F", "-i"]),
    (LogPattern("a.c", regex=True), ["-E", "-i"]),
    (LogPattern("^(GET|warn).*(日|\\$1)$", regex=True, case_sensitive=True), ["-E"]),
]


@pytest.mark.parametrize(("pattern", "options"), PATTERNS, ids=lambda item: getattr(item, "text", None))
def test_find_agrees_with_grep_n(pattern: LogPattern, options: list[str]):
    lines = text()
    search = Search(pattern, FilteredView(store_of(lines)))
    while not search.advance(500):
        pass
    expected = grep(lines, *options, "--", pattern.text)
    assert search.numbers() == expected
    assert len(expected) > 10


@pytest.mark.parametrize(("pattern", "options"), PATTERNS, ids=lambda item: getattr(item, "text", None))
@pytest.mark.parametrize(("before", "after"), [(0, 0), (2, 2), (0, 3), (5, 1)])
def test_keep_agrees_with_grep_and_its_context(pattern: LogPattern, options: list[str], before: int, after: int):
    lines = text()
    sieve = FilteredView(store_of(lines, memory=100_000), Filters(stack=(Filter(pattern),), before=before, after=after))
    assert shown(sieve) == grep(lines, *options, f"-B{before}", f"-A{after}", "--", pattern.text)


@pytest.mark.parametrize(("pattern", "options"), PATTERNS, ids=lambda item: getattr(item, "text", None))
def test_exclude_agrees_with_grep_v(pattern: LogPattern, options: list[str]):
    lines = text()
    sieve = FilteredView(store_of(lines), Filters(stack=(Filter(pattern, exclude=True),)))
    assert shown(sieve) == grep(lines, *options, "-v", "--", pattern.text)


def test_stacked_filters_are_pipes_of_grep():
    lines = text()
    stack = (Filter(LogPattern("error")), Filter(LogPattern("ok"), exclude=True))
    left = grep(lines, "-i", "-v", "ok")
    expected = [left[index] for index in grep([lines[index] for index in left], "-i", "-C2", "error")]
    assert shown(FilteredView(store_of(lines), Filters(stack=stack, before=2, after=2))) == expected
    both = (Filter(LogPattern("error")), Filter(LogPattern("get")))
    first = grep(lines, "-i", "error")
    assert shown(FilteredView(store_of(lines), Filters(stack=both))) == [
        first[index] for index in grep([lines[index] for index in first], "-i", "get")
    ]


def test_lines_that_arrive_later_give_what_all_at_once_give():
    lines = text()
    store = LogStore()
    filters = Filters(stack=(Filter(LogPattern("timeout")),), before=3, after=2)
    growing = FilteredView(store, filters)
    search = Search(LogPattern("warn"), growing)
    for start in range(0, len(lines), 123):
        store.add(line(output, start) for output in lines[start : start + 123])
        growing.advance(None)
        search.advance(None)
    assert shown(growing) == shown(FilteredView(store, filters))
    again = Search(LogPattern("warn"), growing)
    again.advance(None)
    assert search.numbers() == again.numbers()
    assert search.numbers()


def test_lines_the_store_lost_are_gone_from_filters_and_search_alike():
    lines = text()
    store = LogStore(memory=200_000, disk=0)
    sieve = FilteredView(store, Filters(stack=(Filter(LogPattern("o")),)))
    search = Search(LogPattern("o"), sieve)
    for start in range(0, len(lines), 50):
        store.add(line(output, start) for output in lines[start : start + 50])
        sieve.advance(None)
        search.advance(None)
    assert store.lost
    expected = [number for number in grep(lines, "-i", "o") if number >= store.first]
    assert shown(sieve) == search.numbers() == expected


def test_going_from_match_to_match_comes_round():
    search = Search(LogPattern("x"), FilteredView(store_of(["x", "", "x", "", "x"])))
    search.advance(None)
    assert (search.after(0), search.after(1), search.after(4)) == (2, 2, 0)
    assert (search.before(4), search.before(1), search.before(0)) == (2, 0, 4)
    assert [search.position(number) for number in (0, 1, 4, None)] == [1, 0, 3, 0]


def test_colours_do_not_hide_what_they_colour():
    assert LogPattern("error").test(line("\x1b[31mer\x1b[1mror\x1b[0m"))


def test_gaps_pass_every_filter_and_are_no_match():
    store = store_of(["one", "two"])
    store.add([Gap(reason="one", lost=5)])
    sieve = FilteredView(store, Filters(stack=(Filter(LogPattern("one")),)))
    search = Search(LogPattern("one"), sieve)
    assert shown(sieve) == [0, 2]
    search.advance(None)
    assert search.numbers() == [0]


def test_muted_containers_are_left_out_before_context_is_counted():
    store = LogStore()
    store.add(
        line(output, container=who) for output, who in [("1", "a"), ("2", "b"), ("hit", "a"), ("4", "b"), ("5", "a")]
    )
    filters = Filters(stack=(Filter(LogPattern("hit")),), before=1, after=1, muted=mute_all_except({"a", "b"}, "a"))
    assert shown(FilteredView(store, filters)) == [0, 2, 4]


def test_fields_are_compared_where_the_text_says_so():
    lines = ['{"level":"warn","status":503}', "level=info status=200", "level=error status=500", "plain ERROR text"]
    store = store_of(lines)
    typed = {"level>=warn": [0, 2, 3], "status:5..": [0, 2], "!status:5..": [1, 3], "level>=warn status:50[03]": [0, 2],
             "status>500": [0], "level=error": [2, 3], "ERROR": [2, 3]}  # fmt: skip
    for output, expected in typed.items():
        assert shown(FilteredView(store, Filters(stack=(parse_filter(output, LogPattern("")),)))) == expected, output


@pytest.mark.parametrize("typed", ["", "!", "level>=loud", "status>many", "status:["])
def test_filters_that_make_no_sense_say_so(typed: str):
    with pytest.raises(InvalidInput):
        parse_filter(typed, LogPattern(""))


def test_an_expression_that_is_none_says_so_and_addresses_stay_text():
    with pytest.raises(InvalidInput, match="not a regular expression"):
        parse_filter("(", LogPattern("", regex=True))
    assert not parse_filter("http://example.com", LogPattern("")).tests


@pytest.mark.parametrize(
    "text",
    [
        'level=warn msg="slow (query) [x]" status=503 path=/a?b.c',
        '{"level":"info","msg":"a\\tb  c","http":{"status":200},"list":[1, 2]}',
    ],
)
def test_filters_by_the_values_of_a_line_keep_it_and_drop_others(text: str):
    own = line(text)
    filters = value_filters(own)
    assert len(filters) >= 4
    for written in filters:
        test = parse_filter(written, LogPattern("")).compile()
        assert test(own), written
        assert not test(line("level=fatal msg=other")), written
    assert value_filters(line("plain text")) == ()
