"""Times in the API's parameters."""

from __future__ import annotations

from pyd_core.errors import InvalidInput
from pyd_core.gosyntax.durations import MAX_DIGITS
from pyd_core.model.base import parse_time


def moment(text: str, name: str) -> int | None:
    """Parse a time, in seconds since the epoch with up to nine decimals or as in RFC 3339, to nanoseconds.

    Raises:
        InvalidInput: It is neither.
    """
    if not text:
        return None
    whole, _, part = text.partition(".")
    if whole.isdecimal() and len(whole) < MAX_DIGITS and (not part or part.isdecimal()):
        return int(whole) * 10**9 + int((part + "000000000")[:9])
    nanoseconds = parse_time(text)
    if nanoseconds is None:
        raise InvalidInput(f"{name}: {text[:40]!r} is no time")
    return nanoseconds
