"""The numbers of a growing log's lines that pass a test."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from pyd_core.logs.fields import level_of
from pyd_core.logs.filters import MAX_STEP_LINES, FilteredView
from pyd_core.logs.levels import LogLevel
from pyd_core.logs.line import LogLine
from pyd_core.logs.pattern import Test

MAX_LEVEL_BYTES = 64 * 1024
"""Longer lines aren't parsed for the index of errors."""

MAX_TEXT_BYTES = 2048
"""Bytes of a longer line that are searched for a level."""


class LineIndex:
    """The numbers of shown lines that pass a test; each line is tested once.

    Args:
        test: The test.
        lines: The lines that pass the filters.
    """

    def __init__(self, test: Test, lines: FilteredView) -> None:
        self._lines = lines
        self._test = test
        self._numbers: list[int] = []
        self._next = lines.store.first

    @property
    def complete(self) -> bool:
        """Whether every line was tested."""
        return self._lines.complete and self._lines.index_of(self._next) >= len(self._lines)

    def advance(self, step: int | None = MAX_STEP_LINES) -> bool:
        """Test more lines, at most `step`, and return whether it is complete."""
        lines = self._lines
        first = lines.store.first
        if self._numbers and self._numbers[0] < first:
            del self._numbers[: bisect_left(self._numbers, first)]
        start = lines.index_of(max(self._next, first))
        stop = len(lines) if step is None else min(len(lines), start + step)
        number = -1
        for number, item in lines.scan(start, stop):
            if isinstance(item, LogLine) and self._test(item):
                self._numbers.append(number)
        if stop > start:
            self._next = number + 1
        return self.complete

    def __len__(self) -> int:
        return len(self._numbers)

    def numbers(self) -> list[int]:
        """Return all matches, in order."""
        return list(self._numbers)

    def any_between(self, first: int, last: int) -> bool:
        """Return whether a line in an inclusive range of numbers passes."""
        return bisect_left(self._numbers, first) < bisect_right(self._numbers, last)

    def position(self, number: int | None) -> int:
        """Return the position of a line among the matches, counted from 1; 0 if it doesn't match."""
        if number is None:
            return 0
        index = bisect_left(self._numbers, number)
        return index + 1 if index < len(self._numbers) and self._numbers[index] == number else 0

    def after(self, number: int) -> int | None:
        """Return the next match after a line, or the first one at the end; None without matches."""
        if not self._numbers:
            return None
        return self._numbers[bisect_right(self._numbers, number) % len(self._numbers)]

    def before(self, number: int) -> int | None:
        """Return the match before a line, or the last one at the start; None without matches."""
        if not self._numbers:
            return None
        return self._numbers[bisect_left(self._numbers, number) - 1]


def is_error(line: LogLine) -> bool:
    """Return whether a line's level is error or fatal."""
    level = level_of(line.data if len(line.data) <= MAX_LEVEL_BYTES else line.data[:MAX_TEXT_BYTES])
    return level is not None and level >= LogLevel.ERROR
