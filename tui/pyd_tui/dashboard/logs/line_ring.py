"""Lines kept within a bound, and an honest count of those that had to go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar, overload

T = TypeVar("T")


class Ring(Generic[T]):
    """A list that forgets its beginning.

    What was ever added is `len(ring) + ring.dropped`.

    Args:
        budget: How much it may hold, in the unit that the costs are given in (bytes, or items at a cost of one).
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._items: list[T] = []
        self._costs: list[int] = []
        self._start = 0
        self._held = 0
        self.dropped = 0

    def add(self, item: T, cost: int = 1) -> None:
        """Add an item; the oldest go until what is held is within the budget again, but never this one."""
        self._items.append(item)
        self._costs.append(cost)
        self._held += cost
        while self._held > self._budget and self._start < len(self._items) - 1:
            self._held -= self._costs[self._start]
            self._start += 1
            self.dropped += 1
        if self._start > 1024 and self._start * 2 > len(self._items):  # moving the rest now and then, not each time
            del self._items[: self._start]
            del self._costs[: self._start]
            self._start = 0

    def extend(self, items: Iterable[T]) -> None:
        """Add items at a cost of one each."""
        for item in items:
            self.add(item)

    def clear(self) -> None:
        """Forget everything, the count too."""
        self._items.clear()
        self._costs.clear()
        self._start = self._held = self.dropped = 0

    def __len__(self) -> int:
        return len(self._items) - self._start

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> list[T]: ...
    def __getitem__(self, at: int | slice) -> T | list[T]:
        if isinstance(at, slice):
            start, stop, step = at.indices(len(self))
            return self._items[self._start + start : self._start + stop : step]
        if not -len(self) <= at < len(self):
            raise IndexError(at)
        return self._items[at if at < 0 else self._start + at]

    def __iter__(self) -> Iterator[T]:
        return iter(self._items[self._start :])
