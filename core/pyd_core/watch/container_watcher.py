"""Watcher of an engine's containers, fed by its event stream."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from types import MappingProxyType

from pyd_core.client.backoff import Backoff
from pyd_core.client.gap import Gap
from pyd_core.client.provider import PagedListing, Provider
from pyd_core.client.timestamps import api_timestamp
from pyd_core.errors import PydError, StreamInterrupted
from pyd_core.model.container import Container, ContainerSummary
from pyd_core.model.event import Event
from pyd_core.observers import Observers
from pyd_core.tasks import TaskOwner
from pyd_core.watch.apply import REMOVALS, apply_event, needs_inspect
from pyd_core.watch.container_info import ContainerInfo, from_inspect, from_summary
from pyd_core.watch.delta import ConnectionState, Delta
from pyd_core.watch.event_history import EventHistory
from pyd_core.watch.inspector import MAX_CONCURRENCY, Inspector

FLUSH_INTERVAL_S = 0.05
"""Seconds in which changes are collected before subscribers are notified."""

BULK_INTERVAL_S = 1 / 2000
"""Seconds per container, at most one second, in which the results of routine inspects are collected: subscribers may
look at every container, and frequent notifications would keep them busy."""

REPLAY_TIMEOUT_S = 0.25
"""An engine that remembers our last event replays it immediately."""


class ContainerWatcher:
    """All containers of an engine, kept up to date without polling.

    It subscribes to events, lists, and applies the events to the list. Containers whose events leave details open are
    inspected. After a lost connection it retries for ever, resumes from the last event, compares with the list, and
    reports the gap.

    Args:
        engine: The engine; the caller closes it.
        max_inspects: Concurrent inspects.
        inspect: Inspect from the first list on; otherwise `enable_inspect` starts it, so that a list can be shown
            before hundreds of responses are read.
    """

    def __init__(self, engine: Provider, *, max_inspects: int = MAX_CONCURRENCY, inspect: bool = True) -> None:
        self._engine = engine
        self._inspect_enabled = inspect
        self._entries: dict[str, ContainerInfo] = {}
        self._history = EventHistory()
        self._tasks = TaskOwner()
        self._paged: PagedListing | None = None
        inspect_one: Callable[[str], Awaitable[Container]] = engine.containers.inspect
        if isinstance(engine.containers, PagedListing):
            self._paged = engine.containers
            self._paged.restrict()
            inspect_one = self._paged.listed
        self._inspector = Inspector(
            inspect_one, self._tasks, on_found=self._on_inspected, on_gone=self._remove, max_concurrency=max_inspects
        )
        self._deltas: Observers[[Delta]] = Observers()
        self._inspections: Observers[[Container]] = Observers()
        self._connection = ConnectionState("connecting", time.time_ns())
        self._timer: asyncio.TimerHandle | None = None
        self._changed: set[str] = set()
        self._removed: set[str] = set()
        self._events: list[Event] = []
        self._gap: Gap | None = None
        self._backlog: list[Event] | None = None
        self._resumed = asyncio.Event()

    @property
    def containers(self) -> Mapping[str, ContainerInfo]:
        """All containers by id, in no order. It changes with each event, before subscribers are notified."""
        return MappingProxyType(self._entries)

    @property
    def connection(self) -> ConnectionState:
        """The state of the connection, which decides whether the containers are current."""
        return self._connection

    def subscribe(self, callback: Callable[[Delta], None]) -> Callable[[], None]:
        """Call `callback` on the event loop with each change, at most every 50 ms.

        Returns:
            A function that ends the subscription.
        """
        return self._deltas.subscribe(callback)

    def subscribe_inspected(self, callback: Callable[[Container], None]) -> Callable[[], None]:
        """Call `callback` on the event loop with each inspect document, which holds more than `ContainerInfo`.

        Returns:
            A function that ends the subscription.
        """
        return self._inspections.subscribe(callback)

    def enable_inspect(self) -> None:
        """Inspect containers whose list entries or events leave details open, from now on."""
        if not self._inspect_enabled:
            self._inspect_enabled = True
            self._inspect()

    async def run(self) -> None:
        """Watch until cancelled."""
        backoff = Backoff()
        try:
            while True:
                try:
                    await self._listen(backoff)
                except PydError as error:
                    self._on_lost(error)
                await backoff.wait()
        finally:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            await self._tasks.aclose()

    async def _listen(self, backoff: Backoff) -> None:
        """Watch over one connection until its end, which is always a `PydError`."""
        engine_time = await self._engine.connect()
        self._backlog, self._resumed = [], asyncio.Event()
        resumed = self._history.resume_ns
        # The engine sends its headers a moment before it subscribes us. Requesting events from the time of its first
        # response on closes that gap; events older than the list do no harm.
        since = engine_time if resumed is None else resumed
        reader: asyncio.Task[None] | None = None
        async with (
            self._engine.system.events(since=api_timestamp(since)) as events,
            TaskOwner(on_error=_ignore) as owner,
        ):

            async def read() -> None:
                async for event in events:
                    self._on_event(event)

            reader = owner.start(read(), name="fleet events")
            summaries, present = [], set[str]()
            if self._paged is None:
                summaries = await self._engine.containers.list(all=True)
            else:
                present = await self._take_pages(self._paged)
            if resumed is not None:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._resumed.wait(), REPLAY_TIMEOUT_S)
            if self._paged is None:
                present = self._take_list(summaries)
            self._go_live(present, resumed=resumed is not None)
            backoff.reset()
            await reader
        raise StreamInterrupted("the engine ended its event stream", hint="check that it still runs")

    async def _take_pages(self, listing: PagedListing) -> set[str]:
        """Apply a list that arrives in pages, show the first one at once, and return the ids of its containers."""
        present: set[str] = set()
        async for containers in listing.pages():
            for container in containers:
                self._upsert(from_inspect(container, self._entries.get(container.id)))
            if not present:
                self._flush()
            present.update(container.id for container in containers)
            self._schedule_flush(self._bulk_window)
        return present

    def _take_list(self, summaries: list[ContainerSummary]) -> set[str]:
        """Apply a new list, have inspected what it leaves open, and return the ids of its containers."""
        replayed = self._resumed.is_set()
        for summary in summaries:
            known = self._entries.get(summary.id)
            entry = from_summary(summary, known)
            if self._upsert(entry) and known is not None and not replayed:
                self._inspector.enqueue_urgent(entry.id)
        present = {summary.id for summary in summaries}
        stale = [
            entry
            for entry in self._entries.values()
            if entry.id in present and (not entry.detailed or (entry.has_processes and not replayed))
        ]
        self._inspector.enqueue(entry.id for entry in sorted(stale, key=lambda entry: not entry.has_processes))
        return present

    def _go_live(self, present: set[str], *, resumed: bool) -> None:
        """Remove what a new list lacks, and apply the events since it was requested."""
        before = self._connection
        backlog, self._backlog = self._backlog or [], None
        if before.state == "lost" and resumed:
            reason = before.error.message if before.error else "the engine stopped answering"
            lost = 0 if self._resumed.is_set() else None
            self._gap = Gap(reason=reason, lost=lost, since_ns=before.since_ns, until_ns=time.time_ns())
        for identity in [identity for identity in self._entries if identity not in present]:
            self._remove(identity)
        for event in backlog:
            self._apply(event)
        self._connection = ConnectionState("live", time.time_ns())
        self._flush()

    def _on_lost(self, error: PydError) -> None:
        self._inspector.pause()
        self._backlog = None
        if self._connection.state != "lost" or self._connection.error != error:
            since = self._connection.since_ns if self._connection.state == "lost" else time.time_ns()
            self._connection = ConnectionState("lost", since, error)
            self._flush()

    def _on_event(self, event: Event) -> None:
        if not self._history.add(event):
            self._resumed.set()
            return
        self._events.append(event)
        if self._backlog is None:
            self._apply(event)
            self._schedule_flush()
        else:
            self._backlog.append(event)

    def _apply(self, event: Event) -> None:
        if event.type == "network" and event.actor.attributes.get("container", "") in self._entries:
            self._inspector.enqueue_urgent(event.actor.attributes["container"])
        if event.type != "container" or not event.actor.id:
            return
        if event.verb in REMOVALS:
            self._remove(event.actor.id)
            return
        entry = apply_event(event, self._entries.get(event.actor.id))
        if entry is not None:
            self._upsert(entry)
            if needs_inspect(event):
                self._inspector.enqueue_urgent(entry.id)

    def _upsert(self, info: ContainerInfo) -> bool:
        if self._entries.get(info.id) == info:
            return False
        self._entries[info.id] = info
        self._changed.add(info.id)
        self._removed.discard(info.id)
        return True

    def _on_inspected(self, container: Container) -> None:
        self._inspections.notify(container)
        known = self._entries.get(container.id)
        if known is not None and self._upsert(from_inspect(container, known)):
            in_turn = self._inspector.is_routine(container.id)
            self._schedule_flush(self._bulk_window if in_turn else FLUSH_INTERVAL_S)

    @property
    def _bulk_window(self) -> float:
        return max(FLUSH_INTERVAL_S, min(1.0, len(self._entries) * BULK_INTERVAL_S))

    def _remove(self, identity: str) -> None:
        self._inspector.discard(identity)
        if self._entries.pop(identity, None) is not None:
            self._changed.discard(identity)
            self._removed.add(identity)
            self._schedule_flush()

    def _schedule_flush(self, window: float = FLUSH_INTERVAL_S) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + window
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = loop.call_at(due, self._flush)

    def _flush(self) -> None:
        """Notify subscribers of all changes, and inspect containers that events left open."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        delta = Delta(
            changed=frozenset(self._changed),
            removed=frozenset(self._removed),
            events=tuple(self._events),
            gap=self._gap,
        )
        self._changed, self._removed, self._events, self._gap = set(), set(), [], None
        self._deltas.notify(delta)
        self._inspect()

    def _inspect(self) -> None:
        if self._inspect_enabled and self._connection.state == "live":
            self._inspector.resume()


def _ignore(error: Exception) -> None:
    """Do nothing: the reader's failure is raised where it is awaited."""
