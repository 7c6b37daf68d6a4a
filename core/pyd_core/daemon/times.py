"""Times and durations in the API's formats."""

from __future__ import annotations

import re

from pyd_core.errors import InvalidInput
from pyd_core.model.base import parse_time

MAX_LENGTH = 200
"""The longest duration's text: parsing takes quadratic time."""
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)")
DIGITS = 12
"""The longest number of seconds; longer ones are invalid, and overflow."""
_UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}


def duration(text: str) -> int:
    """Parse Go's duration text as nanoseconds."""
    parts = _DURATION.findall(text[:MAX_LENGTH])
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise InvalidInput(f"{text[:40]!r} is no duration such as 1m30s")
    if any(len(number) > DIGITS for number, _ in parts):
        raise InvalidInput(f"{text[:40]!r} is too long a time")
    return sum(int(float(number) * _UNITS[unit]) for number, unit in parts)


def duration_text(nanoseconds: int) -> str:
    """Format a duration as Go does: `1m30s`, `1.5s`, `50ms`."""
    for unit in ("ms", "us", "ns"):
        if 0 < nanoseconds < 10**9 and nanoseconds >= _UNITS[unit]:
            return f"{nanoseconds / _UNITS[unit]:g}{unit}".replace("us", "µs")
    minutes, rest = divmod(nanoseconds, _UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest // 10**9}.{rest % 10**9:09d}".rstrip("0").rstrip(".") + "s"
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + seconds


def moment(text: str, name: str) -> int | None:
    """Parse a time, in seconds since the epoch with up to nine decimals or as in RFC 3339, to nanoseconds.

    Raises:
        InvalidInput: It is neither.
    """
    if not text:
        return None
    whole, _, part = text.partition(".")
    if whole.isdecimal() and len(whole) < DIGITS and (not part or part.isdecimal()):
        return int(whole) * 10**9 + int((part + "000000000")[:9])
    nanoseconds = parse_time(text)
    if nanoseconds is None:
        raise InvalidInput(f"{name}: {text[:40]!r} is no time")
    return nanoseconds
