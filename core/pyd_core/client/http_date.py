"""Dates in HTTP headers.

`email.utils` reads them too, and takes 10 ms to load before the first list of containers.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FIXED = re.compile(r"[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII)


def parse_http_date(text: str) -> int | None:
    """Return the time of a `Date` header (RFC 9110, section 5.6.7), the one form that servers may send.

    Returns:
        Seconds since the epoch; None for anything else.
    """
    match = _FIXED.fullmatch(text)
    if match is None or match[2] not in MONTHS:
        return None
    day, year, hour, minute, second = (int(match[index]) for index in (1, 3, 4, 5, 6))
    try:
        return int(datetime(year, MONTHS.index(match[2]) + 1, day, hour, minute, second, tzinfo=UTC).timestamp())
    except ValueError:
        return None
