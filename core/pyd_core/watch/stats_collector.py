"""Collector of the resource use of containers: of visible ones each second, and of all others of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from pyd_core.client.backoff import Backoff
from pyd_core.client.provider import Provider
from pyd_core.errors import NotFound, PydError
from pyd_core.observers import Observers
from pyd_core.tasks import TaskOwner
from pyd_core.watch.container_info import ContainerInfo
from pyd_core.watch.container_watcher import ContainerWatcher
from pyd_core.watch.delta import Delta
from pyd_core.watch.local_stats import LocalHost, LocalReader
from pyd_core.watch.stats import Sample, Usage, compute_usage, from_api
from pyd_core.watch.usage_series import Series

SAMPLE_INTERVAL_S = 1.0
"""Seconds between two samples."""

REST_INTERVAL_S = 5.0
"""Seconds between two samples of containers of this machine that aren't watched."""

MIN_RATE_NS = 200_000_000
"""Nanoseconds between two samples, at an interval of a second, below which they give no rate."""

MAX_STREAMS = 32
"""Concurrent stats streams: each costs the engine a request and a reading per second."""

SAMPLES_PER_TURN = 3
"""Samples of a stream before it yields to a container that has none yet."""


class StatsCollector:
    """Resource use of watched containers.

    On the engine's machine it reads control groups, otherwise one stats stream of the engine per watched container.
    With nothing to measure it does nothing.

    Args:
        engine: The containers' engine.
        watcher: Knows which of them run, and their processes.
        interval_s: Seconds between two samples.
        rest_interval_s: Seconds between two samples of the containers of this machine that aren't watched, of which
            only processor time and memory are read; None doesn't measure them.
        root: The directory with `proc` and `sys`.
    """

    def __init__(
        self,
        engine: Provider,
        watcher: ContainerWatcher,
        *,
        interval_s: float = SAMPLE_INTERVAL_S,
        rest_interval_s: float | None = None,
        root: Path = Path("/"),
    ) -> None:
        self._engine = engine
        self._watcher = watcher
        self._interval_s = interval_s
        self._rest_interval_s = rest_interval_s
        self._ranked = False
        self._host = LocalHost(root) if engine.endpoint.is_local else None
        self._watched: frozenset[str] = frozenset()
        self._pids: dict[str, int] = {}
        self._readers: dict[str, LocalReader] = {}
        self._streams: dict[str, asyncio.Task[None]] = {}
        self._previous: dict[str, Sample] = {}
        self._complete: set[str] = set()
        """Containers whose last sample has all counters."""
        self._ended = False
        """Whether a measured container has ended since the last round."""
        self._usage: dict[str, Usage] = {}
        self._series: dict[str, Series] = {}
        self._observers: Observers[[]] = Observers()
        self._wake = asyncio.Event()
        self._tasks = TaskOwner()
        self._limit = asyncio.Semaphore(MAX_STREAMS)
        self._queueing = 0
        self._sampled: set[str] = set()
        self._rest_due = 0.0
        self._young: set[str] = set()
        """Containers that aren't watched and have one sample, which gives no rates."""

    @property
    def usage(self) -> Mapping[str, Usage]:
        """The newest usage of each measured container that runs."""
        return MappingProxyType(self._usage)

    @property
    def series(self) -> Mapping[str, Series]:
        """The usage of existing containers while they were measured."""
        return MappingProxyType(self._series)

    @property
    def sampled(self) -> Collection[str]:
        """The containers with a new sample since the previous round."""
        return self._sampled

    def watch(self, identities: Iterable[str], *, ranked: bool = False) -> None:
        """Set the watched containers.

        Args:
            identities: Their ids.
            ranked: Whether an order by usage is visible, for which all others are read as often as the watched ones.
        """
        watched = frozenset(identities)
        if watched == self._watched and ranked == self._ranked:
            return
        for identity in self._watched - watched:
            reader = self._readers.get(identity)
            if reader is None or self._rest_interval_s is None:
                self._drop(identity)
            else:
                reader.close_details()
        if ranked and not self._ranked:
            self._rest_due = 0.0
        self._watched, self._ranked = watched, ranked
        self._wake.set()

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` on the event loop after each round of samples.

        Returns:
            A function that ends the subscription.
        """
        return self._observers.subscribe(callback)

    async def run(self) -> None:
        """Collect until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        end = self._watcher.subscribe(self._on_delta)
        try:
            while True:
                self._wake.clear()
                now = loop.time()
                # A container that becomes visible is sampled immediately, the others when they are due.
                if self._sample_all(is_due=now >= due, is_rest_due=now >= self._rest_due):
                    self._observers.notify()
                    self._sampled.clear()
                if now >= due:
                    due = max(due + self._interval_s, now)
                if now >= self._rest_due and self._rest_interval_s is not None:
                    rest_interval_s = self._interval_s if self._ranked else self._rest_interval_s
                    self._rest_due = max(self._rest_due + rest_interval_s, now)
                next_due = self._next_due(due)
                if next_due is None:
                    await self._wake.wait()
                    continue
                timer = loop.call_at(next_due, self._wake.set)
                try:
                    await self._wake.wait()
                finally:
                    timer.cancel()
        finally:
            end()
            for identity in [*self._pids]:
                self._drop(identity)
            await self._tasks.aclose()

    def _next_due(self, due: float) -> float | None:
        """Return when to sample next; None while nothing that is measured runs."""
        entries = self._watcher.containers
        if any(identity in entries and entries[identity].has_processes for identity in self._watched):
            return due
        if self._measures_rest and any(entry.has_processes for entry in entries.values()):
            return min(due, self._rest_due) if self._young else self._rest_due
        return None

    @property
    def _measures_rest(self) -> bool:
        return self._host is not None and self._rest_interval_s is not None

    def _sample_all(self, *, is_due: bool, is_rest_due: bool) -> bool:
        """Sample what is due, and each watched container that has no sample yet; return whether there is new data."""
        entries = self._watcher.containers
        new, self._ended = self._ended, False
        for identity in self._watched:
            entry = entries.get(identity)
            if entry is None or not entry.has_processes:
                new |= identity in self._usage
                self._drop(identity)
            elif (entry.pid or (self._host is None and entry.detailed)) and (is_due or identity not in self._complete):
                new |= self._sample(entry)
        if self._measures_rest:
            new |= self._sample_rest(is_due=is_due, is_rest_due=is_rest_due)
        return new or bool(self._streams)

    def _sample_rest(self, *, is_due: bool, is_rest_due: bool) -> bool:
        """Sample the containers that aren't watched: when due, first as soon as they run, and again a second later."""
        entries, young = self._watcher.containers, self._young
        self._young = set()
        new = False
        for identity, entry in entries.items():
            if identity in self._watched or not entry.has_processes or entry.pid == 0:
                continue
            is_new = self._pids.get(identity) != entry.pid
            if is_rest_due or is_new or (is_due and identity in young):
                new |= self._sample(entry, brief=True)
            if is_new or (identity in young and self._lacks_rates(identity)):
                self._young.add(identity)
        return new

    def _sample(self, entry: ContainerInfo, *, brief: bool = False) -> bool:
        """Sample a container, and return whether there is new data."""
        identity = entry.id
        has_source = brief or identity in self._readers or identity in self._streams
        if self._pids.get(identity) != entry.pid or not has_source:
            self._choose_source(entry, may_stream=not brief)
        reader = self._readers.get(identity)
        sample = None if reader is None else reader.read(brief=brief)
        if sample is None:
            return False
        (self._complete.discard if brief else self._complete.add)(identity)
        if brief and self._is_idle(identity, sample):
            self._previous[identity] = sample
            return False
        self._add(identity, sample)
        return True

    def _lacks_rates(self, identity: str) -> bool:
        """Return whether a container has one sample, or a second one that came too soon after it."""
        usage = self._usage.get(identity)
        return usage is not None and usage.cpu_percent is None

    def _is_idle(self, identity: str, sample: Sample) -> bool:
        """Return whether a container does nothing, as before, and its curve needs no point yet."""
        last, before = self._usage.get(identity), self._previous.get(identity)
        if last is None or before is None or last.cpu_percent != 0 or sample.counters != before.counters:
            return False
        series = self._series.get(identity)
        return series is not None and not series.is_due(sample.time_ns)

    def _add(self, identity: str, sample: Sample) -> None:
        before, last = self._previous.get(identity), self._usage.get(identity)
        now = compute_usage(sample, before)
        if before is not None and last is not None and sample.at_ns - before.at_ns < self._interval_s * MIN_RATE_NS:
            # It became visible right after a sample: so short a time gives no rate worth showing.
            now = msgspec.structs.replace(compute_usage(sample, None), cpu_percent=last.cpu_percent)
        else:
            self._previous[identity] = sample
        self._usage[identity] = now
        self._sampled.add(identity)
        if identity not in self._series:
            self._series[identity] = Series()
        series = self._series[identity]
        if identity in self._watched or series.is_due(now.time_ns):
            series.add(now)

    def _drop(self, identity: str) -> None:
        self._usage.pop(identity, None)
        self._previous.pop(identity, None)
        self._pids.pop(identity, None)
        self._complete.discard(identity)
        reader = self._readers.pop(identity, None)
        if reader is not None:
            reader.close()
        stream = self._streams.pop(identity, None)
        if stream is not None:
            stream.cancel()

    def _choose_source(self, entry: ContainerInfo, *, may_stream: bool) -> None:
        """Choose the source of the data of a container's present run."""
        self._drop(entry.id)
        self._pids[entry.id] = entry.pid
        others = len(self._readers)
        reader = self._host.reader(entry.id, entry.pid, reader_count=others) if self._host is not None else None
        if reader is not None:
            self._readers[entry.id] = reader
        elif may_stream:
            self._streams[entry.id] = self._tasks.start(self._read_stream(entry.id))

    async def _read_stream(self, identity: str) -> None:
        backoff = Backoff()
        while True:
            self._queueing += 1
            try:
                await self._limit.acquire()
            finally:
                self._queueing -= 1
            try:
                await self._read_turn(identity)
                backoff.reset()
            except NotFound:
                return
            except PydError:
                pass  # the watcher reports that the engine can't be reached
            finally:
                self._limit.release()
            await backoff.wait()

    async def _read_turn(self, identity: str) -> None:
        """Read a container's stream until it ends, or for a few samples while others wait."""
        self._previous.pop(identity, None)
        count = 0
        async with self._engine.containers.stats_stream(identity) as samples:
            async for stats in samples:
                entry = self._watcher.containers.get(identity)
                sample = from_api(stats, memory_limit=entry.memory_limit if entry else None)
                if sample is not None:
                    self._add(identity, sample)
                count += 1
                if count >= SAMPLES_PER_TURN and self._queueing:
                    return

    def _on_delta(self, delta: Delta) -> None:
        for identity in delta.removed:
            self._series.pop(identity, None)
        entries = self._watcher.containers
        for identity in (delta.changed | delta.removed) & self._pids.keys():
            if identity not in entries or not entries[identity].has_processes:
                self._drop(identity)
                self._ended = True
        if self._measures_rest or (delta.changed | delta.removed) & self._watched:
            self._wake.set()
