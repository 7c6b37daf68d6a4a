"""Position in a log, from which reading resumes after an interruption or restart without duplicates or losses."""

from __future__ import annotations

from collections import Counter
from itertools import takewhile

from pyd_core.logs.line import LogLine

_LineKey = tuple[str, int, int]


class ResumePoint:
    """The last line that was read.

    Engines return lines from a time on, and several lines may share a time (Podman's have whole seconds). So the lines
    of the last time are remembered by their content and dropped when they come again. If the engine's clock was set
    back meanwhile, lines may come twice; none is lost.
    """

    def __init__(self, *, since: int | None = None, tail: int | None = None) -> None:
        self.since = since
        """Time to read from, nanoseconds since the epoch; None is the start."""
        self.tail = tail
        self._seen: Counter[_LineKey] = Counter()
        self._expected: Counter[_LineKey] = Counter()
        self.resumed = True
        """Whether the last line came again after resuming, so that nothing is missing."""

    def advance(self, lines: list[LogLine]) -> None:
        """Record lines that were emitted."""
        if not lines:
            return
        last = lines[-1].time_ns
        if last == 0:
            return
        newest = list(takewhile(lambda line: line.time_ns == last, reversed(lines)))
        if last != self.since or len(newest) < len(lines):
            self._seen = Counter()
        self._seen.update(map(_line_key, newest))
        self.since = last
        self.tail = None

    def skip_past(self, time_ns: int) -> None:
        """Resume after this time, whatever was read."""
        self.since = time_ns + 1
        self.tail = None
        self._seen = Counter()

    def start_request(self) -> None:
        """Prepare for a new request, in which the last lines will come again."""
        self._expected = self._seen.copy()
        self.resumed = not self._expected

    def drop_seen(self, lines: list[LogLine]) -> list[LogLine]:
        """Return those of `lines` that weren't read before resuming."""
        if not self._expected or not lines:
            return lines
        unseen = []
        for line in lines:
            key = _line_key(line)
            if line.time_ns == self.since and self._expected[key] > 0:
                self._expected[key] -= 1
                self.resumed = True
            else:
                unseen.append(line)
        if lines[-1].time_ns != self.since:
            self._expected = Counter()
        return unseen


def _line_key(line: LogLine) -> _LineKey:
    return line.stream, hash(line.data), line.cut
