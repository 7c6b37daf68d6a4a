"""Numbers with few digits and fixed width, so that an idle screen doesn't change."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from time import time_ns
from typing import Protocol

SECOND = 1_000_000_000


class Now(Protocol):
    """A source of the current time."""

    def __call__(self) -> int:
        """Return nanoseconds since the epoch."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The time, and the zone to write it in; tests hold it still."""

    now: Now = field(default=time_ns)
    zone: tzinfo | None = None
    """None is the machine's time zone."""

    def local(self, moment_ns: int) -> datetime:
        """Return a moment in the displayed time zone."""
        return datetime.fromtimestamp(moment_ns / SECOND, UTC).astimezone(self.zone)


def percent(value: float) -> str:
    """Write a share in at most five columns: `0%`, `0.4%`, `12%`, `1600%`."""
    if value < 0.05:
        return "0%"
    return f"{value:.1f}%" if value < 9.95 else f"{value:.0f}%"


def moment(when_ns: int, clock: Clock) -> str:
    """Write a moment so that the text rarely changes: `14:02` today, `21 Nov` this year, else `Nov 2024`."""
    then, today = clock.local(when_ns), clock.local(clock.now())
    if then.date() == today.date():
        return f"{then:%H:%M}"
    if then.year == today.year:
        return f"{then.day} {then:%b}"
    return f"{then:%b %Y}"


def full_moment(when_ns: int, clock: Clock) -> str:
    """Write a moment as date and time to the second."""
    return f"{clock.local(when_ns):%Y-%m-%d %H:%M:%S}"


def counted(count: int, noun: str, plural: str = "") -> str:
    """Write a count with its noun: `1 line`, `2,000 lines`; `plural` where it isn't the noun with an s."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
