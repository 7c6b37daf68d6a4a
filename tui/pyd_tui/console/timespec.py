"""Times on a command line: a span before now, a date, or seconds since the epoch."""

from __future__ import annotations

import re
from datetime import datetime

from pyd_core.errors import InvalidInput

_SPAN = re.compile(r"(?:\d+(?:\.\d+)?(?:ns|us|ms|s|m|h|d))+")
_PART = re.compile(r"(\d+)(?:\.(\d+))?(ns|us|ms|s|m|h|d)")
_EPOCH = re.compile(r"(\d+)(?:\.(\d{1,9})\d*)?")
_UNITS = {
    "ns": 1,
    "us": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 86400 * 10**9,
}


def parse_span(text: str) -> int:
    """Parse a span of time (`90s`, `1h30m`, `2d`) and return nanoseconds.

    Raises:
        InvalidInput: The text is malformed.
    """
    if not _SPAN.fullmatch(text):
        raise InvalidInput(f"not a span of time: {text!r}", hint="write 90s, 1h30m or 2d")
    return sum(
        int(whole) * _UNITS[unit] + (int(part) * _UNITS[unit] // 10 ** len(part) if part else 0)
        for whole, part, unit in _PART.findall(text)
    )


def parse_when(text: str, *, now_ns: int) -> int:
    """Parse a time and return nanoseconds since the epoch.

    Args:
        text: A span before now (`90s`, `1h30m`, `2d`), an ISO 8601 date or time (in the local zone unless it names
            one), or seconds since the epoch with decimals.
        now_ns: The current time, in nanoseconds since the epoch.

    Raises:
        InvalidInput: The text is malformed.
    """
    if epoch := _EPOCH.fullmatch(text):
        return int(epoch[1]) * 10**9 + int((epoch[2] or "0").ljust(9, "0"))
    if _SPAN.fullmatch(text):
        return now_ns - parse_span(text)
    try:
        moment = datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise InvalidInput(
            f"not a time: {text!r}",
            hint="write a span before now (10m, 1h30m), a date or time (2025-06-01T12:00), or seconds since 1970",
        ) from None
    return int(moment.replace(microsecond=0).timestamp()) * 10**9 + moment.microsecond * 1000
