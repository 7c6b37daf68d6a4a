"""Levels of log lines."""

from __future__ import annotations

import re
from enum import IntEnum


class LogLevel(IntEnum):
    """Levels in order; the numbers are those of pino and bunyan, which need no table."""

    TRACE = 10
    DEBUG = 20
    INFO = 30
    WARN = 40
    ERROR = 50
    FATAL = 60


_WORDS: dict[str, LogLevel] = {
    **dict.fromkeys(("trace", "trc", "verbose", "finest", "finer"), LogLevel.TRACE),
    **dict.fromkeys(("debug", "dbg", "debu", "fine", "d"), LogLevel.DEBUG),
    **dict.fromkeys(("info", "inf", "information", "informational", "notice", "log", "i"), LogLevel.INFO),
    **dict.fromkeys(("warn", "warning", "wrn", "w"), LogLevel.WARN),
    **dict.fromkeys(("error", "err", "erro", "eror", "severe", "e"), LogLevel.ERROR),
    **dict.fromkeys(("fatal", "ftl", "crit", "critical", "panic", "alert", "emerg", "emergency", "f"), LogLevel.FATAL),
}

_SYSLOG = (*[LogLevel.FATAL] * 3, LogLevel.ERROR, LogLevel.WARN, LogLevel.INFO, LogLevel.INFO, LogLevel.DEBUG)
"""RFC 5424, 6.2.1: 0 emergency … 7 debug."""

_MAX_SEARCH_BYTES = 160
"""A level is only searched at the start of a line; further on the words mean something else."""

_LEVEL_WORDS = rb"TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERR(?:OR)?|SEVERE|CRIT(?:ICAL)?|FATAL|PANIC|ALERT|EMERG"
_LEVEL = re.compile(
    rb"\b(?:" + _LEVEL_WORDS + rb")\b"  # 2025-06-01 12:00:00 ERROR ...
    rb"|(?i:(?<=[\[<(])(?:" + _LEVEL_WORDS + rb")(?=[\]>)]))"  # [error] <warn>
    rb"|(?i:^(?:" + _LEVEL_WORDS + rb")(?=: ))"  # error: ..., panic: ...
    rb"|^[IWEF](?=\d{4} \d\d:\d\d:\d\d)"  # klog: E0612 10:00:00.000000
)


def parse_level(word: str) -> LogLevel | None:
    """Return the level for a word or number; None if there is none."""
    word = word.strip().lower()
    if word.isdecimal() and len(word) <= 4:
        number = int(word)
        if number < len(_SYSLOG):
            return _SYSLOG[number]
        return LogLevel(max(10, min(60, number // 10 * 10)))
    return _WORDS.get(word)


def level_in_text(data: bytes) -> LogLevel | None:
    """Return the level near the start of a plain text line; None without one."""
    match = _LEVEL.search(data, 0, _MAX_SEARCH_BYTES)
    return _WORDS.get(match.group().decode().lower()) if match else None
