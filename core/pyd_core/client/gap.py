"""Something was or may have been missed, and it is said so: in events, in log lines, in anything followed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A hole, or a mended hole, in what was followed.

    Times are nanoseconds since the epoch by this machine's clock.
    """

    reason: str
    """In words for people, one line: `the engine stopped answering`."""
    lost: int | None = None
    """How many things are missing: 0 when all could be fetched afterwards, None when nobody can know."""
    since_ns: int = 0
    """When it began."""
    until_ns: int = 0
    """When it ended."""
    name: str = ""
    """What was followed, where there are several: a container's name."""
