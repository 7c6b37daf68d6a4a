"""Durations as Go writes them: `30s`, `1m30s`, `500ms` (package time, `ParseDuration`)."""

from __future__ import annotations

import re

from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60 * 1_000_000_000,
    "h": 3600 * 1_000_000_000,
}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")


def parse_duration(text: str) -> int:
    """Return a duration in nanoseconds.

    Raises:
        InvalidInput: It is not a duration.
    """
    if text == "0":
        return 0
    total, place = 0, 0
    while found := _PART.match(text, place):
        total += round(float(found[1]) * _UNITS[found[2]])
        place = found.end()
    if not text or place != len(text):
        raise InvalidInput(f"not a duration: {safe(text)!r}", hint="write it as 30s, 1m30s or 500ms")
    return total
