"""Rules between the days of a log."""

from __future__ import annotations

from datetime import date

from pyd_tui.dashboard.render.figures import SECOND, Clock
from pyd_tui.dashboard.render.pieces import Cell, cell

QUARTER_NS = 900 * SECOND
"""No time zone begins a day within a quarter of an hour."""

MAX_CACHED_QUARTERS = 4096


class LogDays:
    """The local dates of log lines.

    Args:
        clock: The clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._dates: dict[int, date] = {}

    def day(self, time_ns: int) -> date:
        """Return the local date of a time, nanoseconds since the epoch."""
        quarter = time_ns // QUARTER_NS
        known = self._dates.get(quarter)
        if known is None:
            if len(self._dates) >= MAX_CACHED_QUARTERS:
                self._dates.clear()
            known = self._dates[quarter] = self._clock.local(time_ns).date()
        return known

    def is_first(self, time_ns: int, previous_ns: int) -> bool:
        """Return whether a line is the first of its day; without a previous line (0), whether its day isn't today."""
        return self.day(time_ns) != self.day(previous_ns or self._clock.now())

    def is_today(self, time_ns: int) -> bool:
        """Return whether a time is today."""
        return self.day(time_ns) == self.day(self._clock.now())

    def text(self, time_ns: int) -> str:
        """Write the date of a time: `Thu 26 Nov`, with the year unless it is this one."""
        day = self.day(time_ns)
        year = f" {day.year}" if day.year != self.day(self._clock.now()).year else ""
        return f"{day:%a} {day.day} {day:%b}{year}"

    def rule(self, time_ns: int) -> Cell:
        """Return the rule above the first line of a day."""
        return cell(f"── {self.text(time_ns)} ──", "accent")
