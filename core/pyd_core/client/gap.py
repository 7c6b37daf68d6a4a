"""Gaps in followed streams, such as events and log lines."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A gap in a followed stream, possibly closed afterwards.

    Times are nanoseconds since the epoch by this machine's clock.
    """

    reason: str
    """In words for people, one line: `the engine stopped answering`."""
    lost: int | None = None
    """The number of missing items: 0 if all were fetched afterwards, None if it can't be known."""
    since_ns: int = 0
    """Its start."""
    until_ns: int = 0
    """Its end."""
    name: str = ""
    """The followed container, if there are several."""
