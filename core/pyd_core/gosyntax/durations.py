"""Durations in Go's notation: `30s`, `1m30s`, `500ms` (package time, `ParseDuration`)."""

from __future__ import annotations

import re

from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe

MAX_DIGITS = 12
"""Limit for a number in a request; longer ones make no sense, and overflow what reads them."""
MAX_LENGTH = 200
"""Limit for a duration in a request, whose parsing takes time in proportion to the square of its length."""
_UNITS_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60 * 1_000_000_000,
    "h": 3600 * 1_000_000_000,
}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_REQUEST_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)")


def parse_duration(text: str) -> int:
    """Return a duration in nanoseconds.

    Raises:
        InvalidInput: It is not a duration.
    """
    if text == "0":
        return 0
    total, offset = 0, 0
    while match := _PART.match(text, offset):
        total += round(float(match[1]) * _UNITS_NS[match[2]])
        offset = match.end()
    if not text or offset != len(text):
        raise InvalidInput(f"not a duration: {safe(text)!r}", hint="write it as 30s, 1m30s or 500ms")
    return total


def parse_request_duration(text: str) -> int:
    """Return a request's duration in nanoseconds; the length of the text and of its numbers is limited.

    Raises:
        InvalidInput: It is not a duration, or too long.
    """
    parts = _REQUEST_PART.findall(text[:MAX_LENGTH])
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise InvalidInput(f"{text[:40]!r} is no duration such as 1m30s")
    if any(len(number) > MAX_DIGITS for number, _ in parts):
        raise InvalidInput(f"{text[:40]!r} is too long a time")
    return sum(int(float(number) * _UNITS_NS[unit]) for number, unit in parts)


def format_duration(nanoseconds: int) -> str:
    """Return a duration as Go prints it: `1m30s`, `1.5s`, `50ms`."""
    for unit in ("ms", "us", "ns"):
        if 0 < nanoseconds < 10**9 and nanoseconds >= _UNITS_NS[unit]:
            return f"{nanoseconds / _UNITS_NS[unit]:g}{unit}".replace("us", "µs")
    minutes, rest = divmod(nanoseconds, _UNITS_NS["m"])
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest // 10**9}.{rest % 10**9:09d}".rstrip("0").rstrip(".") + "s"
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + seconds
