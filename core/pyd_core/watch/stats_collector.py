"""Collector of the resource use of visible containers, once a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from pyd_core.client.backoff import Backoff
from pyd_core.client.engine_client import EngineClient
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

MAX_STREAMS = 32
"""Concurrent stats streams: each costs the engine a request and a reading per second."""

SAMPLES_PER_TURN = 3
"""Samples of a stream before it yields to a container that has none yet."""


class StatsCollector:
    """Resource use of watched containers.

    On the engine's machine it reads control groups, otherwise one stats stream of the engine per watched container.
    With nothing watched it does nothing.

    Args:
        engine: The containers' engine.
        watcher: Knows which of them run, and their processes.
        interval_s: Seconds between two samples.
        root: The directory with `proc` and `sys`.
    """

    def __init__(
        self,
        engine: EngineClient,
        watcher: ContainerWatcher,
        *,
        interval_s: float = SAMPLE_INTERVAL_S,
        root: Path = Path("/"),
    ) -> None:
        self._engine = engine
        self._watcher = watcher
        self._interval_s = interval_s
        self._host = LocalHost(root) if engine.endpoint.is_local else None
        self._watched: frozenset[str] = frozenset()
        self._pids: dict[str, int] = {}
        self._readers: dict[str, LocalReader] = {}
        self._streams: dict[str, asyncio.Task[None]] = {}
        self._previous: dict[str, Sample] = {}
        self._usage: dict[str, Usage] = {}
        self._series: dict[str, Series] = {}
        self._observers: Observers[[]] = Observers()
        self._wake = asyncio.Event()
        self._tasks = TaskOwner()
        self._limit = asyncio.Semaphore(MAX_STREAMS)
        self._queueing = 0

    @property
    def usage(self) -> Mapping[str, Usage]:
        """The newest usage of each watched container that runs."""
        return MappingProxyType(self._usage)

    @property
    def series(self) -> Mapping[str, Series]:
        """The usage of existing containers while they were watched."""
        return MappingProxyType(self._series)

    def watch(self, identities: Iterable[str]) -> None:
        """Set the watched containers; data of all others is dropped."""
        watched = frozenset(identities)
        if watched == self._watched:
            return
        for identity in self._watched - watched:
            self._drop(identity)
        self._watched = watched
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
                if self._sample_all(is_due=now >= due):
                    self._observers.notify()
                if not self._any_running():
                    await self._wake.wait()
                    continue
                if now >= due:
                    due = max(due + self._interval_s, now)
                timer = loop.call_at(due, self._wake.set)
                try:
                    await self._wake.wait()
                finally:
                    timer.cancel()
        finally:
            end()
            for identity in [*self._pids]:
                self._drop(identity)
            await self._tasks.aclose()

    def _any_running(self) -> bool:
        entries = self._watcher.containers
        return any(identity in entries and entries[identity].has_processes for identity in self._watched)

    def _sample_all(self, *, is_due: bool) -> bool:
        """Sample each watched container that runs, or only the new ones, and return whether there is new data."""
        entries = self._watcher.containers
        new = False
        for identity in self._watched:
            entry = entries.get(identity)
            if entry is None or not entry.has_processes:
                new |= identity in self._usage
                self._drop(identity)
                continue
            if entry.pid == 0 or (identity in self._previous and not is_due):  # not inspected yet, or not due
                continue
            if self._pids.get(identity) != entry.pid:
                self._choose_source(entry)
            reader = self._readers.get(identity)
            if reader is None:
                continue
            sample = reader.read()
            if sample is not None:
                self._add(identity, sample)
                new = True
        return new or bool(self._streams)

    def _add(self, identity: str, sample: Sample) -> None:
        now = self._usage[identity] = compute_usage(sample, self._previous.get(identity))
        self._previous[identity] = sample
        if identity not in self._series:
            self._series[identity] = Series()
        self._series[identity].add(now)

    def _drop(self, identity: str) -> None:
        self._usage.pop(identity, None)
        self._previous.pop(identity, None)
        self._pids.pop(identity, None)
        reader = self._readers.pop(identity, None)
        if reader is not None:
            reader.close()
        stream = self._streams.pop(identity, None)
        if stream is not None:
            stream.cancel()

    def _choose_source(self, entry: ContainerInfo) -> None:
        """Choose the source of the data of a container's present run."""
        self._drop(entry.id)
        self._pids[entry.id] = entry.pid
        others = len(self._readers)
        reader = self._host.reader(entry.id, entry.pid, reader_count=others) if self._host is not None else None
        if reader is not None:
            self._readers[entry.id] = reader
        else:
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
        if (delta.changed | delta.removed) & self._watched:
            self._wake.set()
