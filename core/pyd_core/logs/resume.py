"""Where in a log one is, so that reading can go on there after a cut or a restart: nothing twice, nothing left out."""

from __future__ import annotations

from collections import Counter
from itertools import takewhile

from pyd_core.logs.line import LogLine

_LineKey = tuple[str, int, int]


class ResumePoint:
    """The last line seen.

    Engines can be asked for lines from a time on, and several lines may share one time (Podman's have whole seconds),
    so the lines of the last time are remembered by what they say and dropped when they come again. Should the engine's
    clock have been set back in between, lines may come twice; none is left out.
    """

    def __init__(self, *, since: int | None = None, tail: int | None = None) -> None:
        self.since = since
        """Nanoseconds since the epoch to ask from; None is the beginning."""
        self.tail = tail
        self._seen: Counter[_LineKey] = Counter()
        self._expected: Counter[_LineKey] = Counter()
        self.resumed = True
        """Whether, after going on, the line last seen came again: then nothing is missing."""

    def advance(self, lines: list[LogLine]) -> None:
        """Note lines that were handed on."""
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
        """Go on after this time, whatever was seen."""
        self.since = time_ns + 1
        self.tail = None
        self._seen = Counter()

    def start_request(self) -> None:
        """A new request starts here: what was seen last will come again."""
        self._expected = self._seen.copy()
        self.resumed = not self._expected

    def drop_seen(self, lines: list[LogLine]) -> list[LogLine]:
        """Return those of `lines` that weren't seen before going on."""
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
