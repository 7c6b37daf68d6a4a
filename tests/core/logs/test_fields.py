from __future__ import annotations

import pytest

from pyd_core.logs.fields import level_of, parse_fields
from pyd_core.logs.levels import LogLevel, parse_level


def test_a_json_line_is_level_time_message_and_the_rest():
    result = parse_fields(
        b'{"ts":1.5,"level":"warn","msg":"slow","http":{"status":503,"path":"/a b"},"ok":true,"none":null}'
    )
    assert result is not None
    assert (result.kind, result.level, result.level_word, result.time, result.message) == (
        "json", LogLevel.WARN, "warn", "1.5", "slow",
    )  # fmt: skip
    assert result.fields == {"http.status": "503", "http.path": "/a b", "ok": "true", "none": "null"}
    assert result.get("level") == "warn"
    assert result.get("http.status") == "503"
    assert result.get("nothing") is None


def test_a_logfmt_line_is_taken_apart_with_its_quotes():
    result = parse_fields(b'time=2025-06-01T10:00:00Z level=error msg="can\'t say \\"hi\\"" code=7 empty= path=/x')
    assert result is not None
    assert (result.kind, result.level, result.message) == ("logfmt", LogLevel.ERROR, 'can\'t say "hi"')
    assert result.fields == {"code": "7", "empty": "", "path": "/x"}


@pytest.mark.parametrize(
    "plain",
    [b"", b"hello", b"a=1", b"set a=1 and b=2", b"{not json}", b"[1,2]", b'{"a":1', b"\xff{}", b"{" * 5000 + b"}",
     b"x = y = z", b"a=1 b=2 and more"],
)  # fmt: skip
def test_other_lines_pass_untouched(plain: bytes):
    assert parse_fields(plain) is None


@pytest.mark.parametrize("deep", [100, 990, 5000, 200_000])
def test_a_line_nested_without_end_is_read_or_passes_untouched(deep: int):
    result = parse_fields(b'{"a":' * deep + b"1" + b"}" * deep)
    assert result is None or set(result.fields) == {"a.a.a.a"}


@pytest.mark.parametrize(
    ("text", "level"),
    [
        (b"2025-06-01 10:00:00 ERROR it broke", LogLevel.ERROR),
        (b"[warn] slow", LogLevel.WARN),
        (b"error: no such file", LogLevel.ERROR),
        (b"\x1b[33mWARN\x1b[0m slow", LogLevel.WARN),
        (b"E0612 10:00:00.000000 1 main.go:1] broke", LogLevel.ERROR),
        (b'{"level":30,"msg":"pino"}', LogLevel.INFO),
        (b'{"severity":"CRITICAL"}', LogLevel.FATAL),
        (b"lvl=dbg msg=x", LogLevel.DEBUG),
        (b"no error here", None),
        (b"INFORMATION desk", None),
        (b"", None),
    ],
)
def test_a_line_says_how_serious_it_is(text: bytes, level: LogLevel | None):
    assert level_of(text) == level


def test_levels_by_number_are_those_of_syslog_and_of_pino():
    assert [parse_level(str(number)) for number in (0, 3, 4, 6, 7)] == [
        LogLevel.FATAL, LogLevel.ERROR, LogLevel.WARN, LogLevel.INFO, LogLevel.DEBUG,
    ]  # fmt: skip
    assert [parse_level(str(number)) for number in (10, 30, 35, 60, 99)] == [
        LogLevel.TRACE, LogLevel.INFO, LogLevel.INFO, LogLevel.FATAL, LogLevel.FATAL,
    ]  # fmt: skip
