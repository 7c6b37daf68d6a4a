"""A container's resource use over the last hour in bounded memory: every second at first, then in steps."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable
from math import isnan, nan

import msgspec

from pyd_core.watch.stats import Usage

MAX_FINE_SAMPLES = 300
"""Unmodified samples: five minutes of one per second."""
STEP_NS = 10_000_000_000
"""The time that an older, summarised sample covers."""
MAX_COARSE_SAMPLES = 360
"""Summarised samples: an hour."""


FINE_NS = 300_000_000_000
"""The age from which samples are summarised, however few there are."""

MIN_STEP_NS = 4_500_000_000
"""Nanoseconds between two samples of a container that isn't watched."""

_FIELDS = (
    "cpu_percent",
    "memory_bytes",
    "memory_limit",
    "memory_peak",
    "pids",
    "net_rx",
    "net_tx",
    "block_read",
    "block_write",
    "throttled_ratio",
)
_COUNTS = frozenset({"memory_bytes", "memory_limit", "memory_peak", "pids"})


class Series:
    """Samples in order of time; old ones are thinned out, then dropped.

    All containers of a machine have one, so summarised samples are kept as plain numbers, in a third of the memory.
    """

    __slots__ = ("_coarse", "_fine", "_step", "_times")

    def __init__(self) -> None:
        self._fine: deque[Usage] = deque()
        self._times = array("q")
        self._coarse = array("d")
        self._step: list[Usage] = []

    def clear(self) -> None:
        """Drop all samples."""
        self._fine.clear()
        self._step.clear()
        del self._times[:], self._coarse[:]

    def is_due(self, time_ns: int) -> bool:
        """Return whether the last sample is old enough for another one of a container that isn't watched."""
        return not self._fine or not 0 <= time_ns - self._fine[-1].time_ns < MIN_STEP_NS

    def add(self, usage: Usage) -> None:
        """Add the newest sample; one that isn't newer than the last means that the clock was set back."""
        fine = self._fine
        if fine and usage.time_ns <= fine[-1].time_ns:
            self.clear()
        fine.append(usage)
        while len(fine) > MAX_FINE_SAMPLES or usage.time_ns - fine[0].time_ns > FINE_NS:
            self._thin(fine.popleft())

    def _thin(self, usage: Usage) -> None:
        if self._step and usage.time_ns // STEP_NS != self._step[0].time_ns // STEP_NS:
            self._keep(summarise(self._step) if len(self._step) > 1 else self._step[0])
            self._step = []
        self._step.append(usage)

    def _keep(self, usage: Usage) -> None:
        if len(self._times) >= MAX_COARSE_SAMPLES:
            del self._times[0], self._coarse[: len(_FIELDS)]
        self._times.append(usage.time_ns)
        self._coarse.extend(nan if (value := getattr(usage, name)) is None else value for name in _FIELDS)

    def _kept(self, index: int) -> Usage:
        values: dict[str, float | int | None] = {}
        for offset, name in enumerate(_FIELDS, index * len(_FIELDS)):
            value = self._coarse[offset]
            values[name] = None if isnan(value) else int(value) if name in _COUNTS else value
        return msgspec.structs.replace(Usage(time_ns=self._times[index]), **values)

    def samples(self) -> list[Usage]:
        """Return all samples, oldest first."""
        step = [summarise(self._step)] if self._step else []
        return [*map(self._kept, range(len(self._times))), *step, *self._fine]

    def newest(self, count: int) -> list[Usage]:
        """Return the last unmodified samples, oldest first."""
        fine = self._fine
        return [fine[index] for index in range(max(0, len(fine) - count), len(fine))]

    def __len__(self) -> int:
        return len(self._times) + bool(self._step) + len(self._fine)


def summarise(samples: list[Usage]) -> Usage:
    """Merge samples into one: rates as their mean, which keeps areas correct, levels as their maximum."""
    return msgspec.structs.replace(
        samples[-1],
        cpu_percent=_mean(samples, lambda sample: sample.cpu_percent),
        memory_bytes=_highest(samples, lambda sample: sample.memory_bytes),
        pids=_highest(samples, lambda sample: sample.pids),
        net_rx=_mean(samples, lambda sample: sample.net_rx),
        net_tx=_mean(samples, lambda sample: sample.net_tx),
        block_read=_mean(samples, lambda sample: sample.block_read),
        block_write=_mean(samples, lambda sample: sample.block_write),
        throttled_ratio=_mean(samples, lambda sample: sample.throttled_ratio),
    )


def _mean(samples: list[Usage], get: Callable[[Usage], float | None]) -> float | None:
    known = [value for sample in samples if (value := get(sample)) is not None]
    return sum(known) / len(known) if known else None


def _highest(samples: list[Usage], get: Callable[[Usage], int | None]) -> int | None:
    return max((value for sample in samples if (value := get(sample)) is not None), default=None)
