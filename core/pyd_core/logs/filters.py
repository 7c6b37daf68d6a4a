"""Stacked filters of log lines with context, over a log that keeps growing.

They are equivalent to pipes of grep: exclusions apply first (`grep -v`), then all other filters must match, and context
is taken from the lines that the exclusions left (`grep -v noise | grep -B1 -A2 error`).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

from pyd_core.errors import InvalidInput
from pyd_core.logs.fields import FieldTest, parse_field_tests, parse_fields
from pyd_core.logs.line import LogLine
from pyd_core.logs.pattern import LogPattern, Test
from pyd_core.logs.store import LogItem, LogStore

MAX_STEP_LINES = 5_000
"""Lines tested at a time, so that a caller on an event loop stays responsive."""


_SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class Filter:
    """A filter: a pattern or comparisons of fields, which keeps or excludes lines."""

    pattern: LogPattern
    exclude: bool = False
    tests: tuple[FieldTest, ...] = ()
    """If there are any, the pattern isn't used."""

    def compile(self) -> Test:
        """Return the test of a line.

        Raises:
            InvalidInput: A pattern or a value is invalid.
        """
        if not self.tests:
            return self.pattern.test
        tests = [test.compile() for test in self.tests]
        return lambda line: all(test(line) for test in tests)


def parse_filter(text: str, mode: LogPattern) -> Filter:
    """Parse a filter: a leading `!` excludes, `level>=warn status:5..` compares fields.

    Args:
        text: The user's input.
        mode: How to interpret it; a regular expression is never taken for a comparison.

    Raises:
        InvalidInput: It is invalid or empty.
    """
    exclude = text.startswith("!")
    text = text.removeprefix("!")
    if not text:
        raise InvalidInput("nothing to look for")
    filter_ = Filter(
        replace(mode, text=text), exclude, () if mode.regex or mode.case_sensitive else parse_field_tests(text)
    )
    filter_.compile()
    return filter_


def value_filters(line: LogLine) -> tuple[str, ...]:
    """Return the filters, as users write them, that keep lines with the same value as this one, one for each field."""
    fields = parse_fields(line.data)
    if fields is None:
        return ()
    own = {"level": fields.level_word if fields.level is not None else "", "msg": fields.message}
    pairs = {**own, **fields.fields}
    texts = (_value_filter(name, value) for name, value in pairs.items() if value)
    return tuple(text for text in texts if parse_field_tests(text))


def _value_filter(name: str, value: str) -> str:
    words = _SPACES.split(value)
    if len(words) == 1:
        return f"{name}={value}"
    pattern = r"\s+".join(map(re.escape, words))  # a filter is split at its spaces
    return f"{name}:{pattern}"


@dataclass(frozen=True, kw_only=True)
class Filters:
    """All filters of a view."""

    stack: tuple[Filter, ...] = ()
    before: int = 0
    """Lines of context before each match."""
    after: int = 0
    muted: frozenset[str] = field(default_factory=frozenset)
    """Ids of containers whose lines are excluded."""

    def __bool__(self) -> bool:
        return bool(self.stack or self.muted)

    def compile(self) -> Test:
        """Return the test of a line, without context.

        Raises:
            InvalidInput: A filter is invalid.
        """
        keep = [filter_.compile() for filter_ in self.stack if not filter_.exclude]
        exclude = [filter_.compile() for filter_ in self.stack if filter_.exclude]
        muted = self.muted

        def passes(line: LogLine) -> bool:
            if line.container_id in muted or any(test(line) for test in exclude):
                return False
            return all(test(line) for test in keep)

        return passes


class FilteredView:
    """The numbers of a store's lines that pass the filters; gaps and annotations always pass.

    It stores no lines, tests each once, and sends no requests.

    Raises:
        InvalidInput: A filter is invalid.
    """

    def __init__(self, store: LogStore, filters: Filters | None = None) -> None:
        self.store = store
        self.filters = filters or Filters()
        self._keep = [filter_.compile() for filter_ in self.filters.stack if not filter_.exclude]
        self._exclude = [filter_.compile() for filter_ in self.filters.stack if filter_.exclude]
        self._numbers: list[int] = []
        self._start = 0
        self._context: set[int] = set()
        self._waiting: deque[int] = deque(maxlen=self.filters.before)
        self._remaining_context = 0
        self._next = store.first

    def __len__(self) -> int:
        return len(self._numbers) - self._start if self.filters else len(self.store)

    @property
    def complete(self) -> bool:
        """Whether every line of the store was tested."""
        return not self.filters or self._next >= self.store.end

    def advance(self, step: int | None = MAX_STEP_LINES) -> bool:
        """Test more lines, at most `step`, and return whether it is complete."""
        self._forget()
        if self.complete:
            return True
        stop = self.store.end if step is None else min(self.store.end, self._next + step)
        for number, item in self.store.scan(self._next, stop):
            self._test_line(number, item)
        self._next = stop
        return self.complete

    def number(self, index: int) -> int:
        """Return the number of the line at an index."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._numbers[self._start + index] if self.filters else self.store.first + index

    def index_of(self, number: int) -> int:
        """Return the index of a line, or the one where it would be."""
        if self.filters:
            return bisect_left(self._numbers, number, self._start) - self._start
        return min(max(0, number - self.store.first), len(self.store))

    def is_context(self, number: int) -> bool:
        """Return whether a line is only shown as context."""
        return number in self._context

    def scan(self, start: int, stop: int) -> Iterator[tuple[int, LogItem]]:
        """Iterate over the passing lines in a range of indexes."""
        if not self.filters:
            yield from self.store.scan(self.store.first + start, self.store.first + stop)
            return
        for number in self._numbers[self._start + start : self._start + stop]:
            yield number, self.store[number]

    def _forget(self) -> None:
        """Drop the lines that the store has lost."""
        first = self.store.first
        self._next = max(self._next, first)
        while self._start < len(self._numbers) and self._numbers[self._start] < first:
            self._context.discard(self._numbers[self._start])
            self._start += 1
        if self._start > 4096 and self._start * 2 > len(self._numbers):
            del self._numbers[: self._start]
            self._start = 0

    def _test_line(self, number: int, item: LogItem) -> None:
        if not isinstance(item, LogLine):
            self._numbers.append(number)
            return
        if item.container_id in self.filters.muted or any(test(item) for test in self._exclude):
            return
        if all(test(item) for test in self._keep):
            for earlier in self._waiting:
                self._numbers.append(earlier)
                self._context.add(earlier)
            self._waiting.clear()
            self._numbers.append(number)
            self._remaining_context = self.filters.after
        elif self._remaining_context:
            self._remaining_context -= 1
            self._numbers.append(number)
            self._context.add(number)
        else:
            self._waiting.append(number)


def mute_all_except(ids: Collection[str], kept: str) -> frozenset[str]:
    """Return the muted containers if only one is heard."""
    return frozenset(ids) - {kept}
