"""A container's resource use over the last hour in bounded memory: every second at first, then in steps."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import msgspec

from pyd_core.watch.stats import Usage

MAX_FINE_SAMPLES = 300
"""Unmodified samples: five minutes of one per second."""
STEP_NS = 10_000_000_000
"""The time that an older, summarised sample covers."""
MAX_COARSE_SAMPLES = 360
"""Summarised samples: an hour."""


class Series:
    """Samples in order of time; old ones are thinned out, then dropped."""

    __slots__ = ("_coarse", "_fine", "_step")

    def __init__(self) -> None:
        self._fine: deque[Usage] = deque()
        self._coarse: deque[Usage] = deque(maxlen=MAX_COARSE_SAMPLES)
        self._step: list[Usage] = []

    def clear(self) -> None:
        """Drop all samples."""
        self._fine.clear()
        self._coarse.clear()
        self._step.clear()

    def add(self, usage: Usage) -> None:
        """Add the newest sample; one that isn't newer than the last means that the clock was set back."""
        if self._fine and usage.time_ns <= self._fine[-1].time_ns:
            self.clear()
        self._fine.append(usage)
        if len(self._fine) > MAX_FINE_SAMPLES:
            self._thin(self._fine.popleft())

    def _thin(self, usage: Usage) -> None:
        if self._step and usage.time_ns // STEP_NS != self._step[0].time_ns // STEP_NS:
            self._coarse.append(summarise(self._step))
            self._step = []
        self._step.append(usage)

    def samples(self) -> list[Usage]:
        """Return all samples, oldest first."""
        step = [summarise(self._step)] if self._step else []
        return [*self._coarse, *step, *self._fine]

    def newest(self, count: int) -> list[Usage]:
        """Return the last unmodified samples, oldest first."""
        fine = self._fine
        return [fine[index] for index in range(max(0, len(fine) - count), len(fine))]

    def __len__(self) -> int:
        return len(self._coarse) + bool(self._step) + len(self._fine)


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
