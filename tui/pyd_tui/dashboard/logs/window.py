"""Parts of a log that are read: its end, its start, a span of time, the surroundings of a moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyd_core.logs.line import LogLine

SECOND = 1_000_000_000
PAGE_LINES = 1_000
"""Lines requested at first, and for each page back."""
AHEAD_LINES = 10_000
"""Lines read from a start at a time; reading continues when the cursor comes near their end."""
MAX_UNSEEN_LINES = 1_000
"""Lines below the cursor at which the next ones are read."""

AROUND_NS = 120 * SECOND
"""Nanoseconds read before and after a moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A part of a log: the last `seconds`, the tail, or the head."""

    label: str
    seconds: int = 0
    head: bool = False
    before_ns: int = 0
    """Only lines before this time, nanoseconds since the epoch; 0 is now."""
    around_ns: int = 0
    """From some time before this moment on."""

    @property
    def follows(self) -> bool:
        """Whether it opens at the log's end."""
        return not (self.head or self.before_ns or self.around_ns)

    @property
    def is_ahead(self) -> bool:
        """Whether it opens far from the end, and is read as far as it is looked at."""
        return bool(self.head or self.around_ns)

    def holds(self, time_ns: int) -> bool:
        """Return whether an annotation of this time belongs to the window."""
        return not self.around_ns or time_ns >= self.around_ns - AROUND_NS


TAIL = Window(label="tail")
WINDOWS = {
    "0": TAIL,
    "1": Window(label="head", head=True),
    "2": Window(label="1m", seconds=60),
    "3": Window(label="5m", seconds=300),
    "4": Window(label="15m", seconds=900),
    "5": Window(label="30m", seconds=1800),
    "6": Window(label="1h", seconds=3600),
}
WINDOW_HELP = {
    "0": "from its end, and follow",
    "1": "from its start",
    "2": "of the last minute",
    "3": "of the last 5 minutes",
    "4": "of the last 15 minutes",
    "5": "of the last 30 minutes",
    "6": "of the last hour",
}
"""What the windows show, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """An item that the view goes to as soon as it is loaded.

    Attributes:
        time_ns: Its time, nanoseconds since the epoch.
        line: The line; None is the first item of that time or later.
    """

    time_ns: int
    line: LogLine | None = None
