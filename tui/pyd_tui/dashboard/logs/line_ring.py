"""A bounded list of lines that counts the lines it drops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar, overload

T = TypeVar("T")


class Ring(Generic[T]):
    """A list that drops its oldest items.

    The number of items ever added is `len(ring) + ring.dropped`.

    Args:
        budget: Capacity, in the unit of the costs (bytes, or items at a cost of one).
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._items: list[T] = []
        self._costs: list[int] = []
        self._start = 0
        self._held = 0
        self.dropped = 0

    def add(self, item: T, cost: int = 1) -> None:
        """Add an item; the oldest items are dropped until the rest fits the budget, but never this one."""
        self._items.append(item)
        self._costs.append(cost)
        self._held += cost
        while self._held > self._budget and self._start < len(self._items) - 1:
            self._held -= self._costs[self._start]
            self._start += 1
            self.dropped += 1
        if self._start > 1024 and self._start * 2 > len(self._items):  # move the rest now and then, not each time
            del self._items[: self._start]
            del self._costs[: self._start]
            self._start = 0

    def extend(self, items: Iterable[T]) -> None:
        """Add items at a cost of one each."""
        for item in items:
            self.add(item)

    def clear(self) -> None:
        """Drop everything, and reset the count."""
        self._items.clear()
        self._costs.clear()
        self._start = self._held = self.dropped = 0

    def __len__(self) -> int:
        return len(self._items) - self._start

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            return self._items[self._start + start : self._start + stop : step]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return self._items[index if index < 0 else self._start + index]

    def __iter__(self) -> Iterator[T]:
        return iter(self._items[self._start :])
