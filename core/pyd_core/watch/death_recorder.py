"""Recorder of deaths, so that a verdict outlives the container's restart and removal."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from pyd_core.client.backoff import Backoff
from pyd_core.client.provider import Provider
from pyd_core.errors import ConfigError, EngineUnavailable, NotFound, PydError
from pyd_core.linux.cgroup_names import group_named
from pyd_core.model.container import Container
from pyd_core.model.event import Event
from pyd_core.tasks import TaskOwner
from pyd_core.triage.collect.events import fetch, fetch_all
from pyd_core.triage.collect.gather import SharedEvidence, complete
from pyd_core.triage.collect.kernel import KernelWatch
from pyd_core.triage.collect.log import TELLS as LOG_TELLS
from pyd_core.triage.evidence import Case, Cgroup, UnavailableSource
from pyd_core.triage.verdict import decide
from pyd_core.watch.backfill import MARGIN_NS, MAX_SKEW_NS, death_from_inspect, split_deaths
from pyd_core.watch.container_watcher import ContainerWatcher
from pyd_core.watch.death_snapshot import snapshot_at_death, snapshot_from_event
from pyd_core.watch.delta import Delta
from pyd_core.watch.history_store import Death, HistoryStore
from pyd_core.watch.output_tail import OutputTail
from pyd_core.watch.point_buffer import PointBuffer
from pyd_core.watch.stats_collector import StatsCollector
from pyd_core.watch.tracked_container import MAX_EVENTS, TrackedContainer

WRITE_INTERVAL_S = 1.0
"""A kill of the recorder can lose the deaths of this long."""
POINTS_INTERVAL_S = 5.0
"""The same for usage curves: each write costs about a millisecond."""
VERDICT_DELAY_S = 0.4
"""`oom` and `stop` are reported around `die`, in any order, and without a last one."""
MAX_VERDICTS = 8
"""Verdicts at a time."""
MAX_URGENT_INSPECTS = 32
"""Concurrent inspects of new containers: a short run would end before its turn in the watcher's queue."""
MAX_FOLLOWED_LOGS = 32
"""Logs followed live, because they are removed as soon as their containers end (`--rm`)."""
READABLE_LOG_DRIVERS = frozenset({"json-file", "local", "journald", "k8s-file"})
"""Log drivers of Docker Engine and Podman whose logs an attach can start with."""


class DeathRecorder:
    """Records each death on an engine in a history, including those since it was last recorded.

    Args:
        engine: The engine, asynchronous; the caller closes it.
        store: The history.
        watcher: The engine's watcher, if the caller runs one; otherwise the recorder does.
        stats: The caller's stats collector, whose selection decides what is measured; otherwise the recorder runs one.
        on_death: Awaited with each death after it was written.
        on_problem: Called with a sentence about something that could not be recorded.
        last_output: Returns the last output of a removed container as pieces of its streams 1 and 2, if the engine runs
            in this process; otherwise the recorder attaches to containers whose logs are removed with them.
    """

    def __init__(
        self,
        engine: Provider,
        store: HistoryStore,
        *,
        watcher: ContainerWatcher | None = None,
        stats: StatsCollector | None = None,
        on_death: Callable[[Death], Awaitable[None]] | None = None,
        on_problem: Callable[[str], None] | None = None,
        last_output: Callable[[str], Sequence[tuple[int, bytes]] | None] | None = None,
    ) -> None:
        self._engine = engine
        self._store = store
        self._on_death = on_death
        self._on_problem = on_problem or (lambda _: None)
        self._last_output = last_output
        self._tracked: dict[str, TrackedContainer] = {}
        self._deaths: list[Death] = []
        self._points = PointBuffer()
        self._points_due_s = 0.0
        self._limit = asyncio.Semaphore(MAX_VERDICTS)
        self._urgent = asyncio.Semaphore(MAX_URGENT_INSPECTS)
        self._followed = 0
        self._shared: SharedEvidence | None = None
        self._kernel = KernelWatch()
        self._kernel_lock = asyncio.Lock()
        self._last_problem = ""
        self._since = 0
        self._pending: dict[int, int] = {}
        self._caught_up = asyncio.Event()
        self._catching_up = False
        self._owns_watcher = watcher is None
        self.watcher = watcher or ContainerWatcher(engine)
        self.stats = stats or StatsCollector(engine, self.watcher)
        self._tasks = TaskOwner(on_error=lambda error: self._report(str(error)))

    async def run(self) -> None:
        """Record until cancelled, then write the remaining data."""
        now = time.time_ns()
        listened = self._store.listened_until(self._engine.endpoint.url)
        self._since = now if listened is None else min(listened, now) - MARGIN_NS
        ends = [
            self.watcher.subscribe(self._on_delta),
            self.watcher.subscribe_inspected(self._on_inspected),
            self.stats.subscribe(self._on_measured),
        ]
        if self._owns_watcher:
            self._tasks.start(self.watcher.run(), name="recorder fleet")
            self._tasks.start(self.stats.run(), name="recorder meter")
        elif self.watcher.connection.state == "live":
            self._start_catch_up()
        next_thin = time.monotonic()
        try:
            while True:
                await asyncio.sleep(WRITE_INTERVAL_S)
                if self._deaths or time.monotonic() >= self._points_due_s:
                    self._flush()
                if time.monotonic() >= next_thin:
                    next_thin += 60
                    self._thin()
        finally:
            for end in ends:
                end()
            await self._tasks.aclose()
            self._flush()
            self._kernel.close()

    def _on_delta(self, delta: Delta) -> None:
        if self.watcher.connection.state == "live":
            self._start_catch_up()
        for event in delta.events:
            if event.type == "container" and event.actor.id:
                self._on_event(event)
        if self._owns_watcher:
            self.stats.watch([entry.id for entry in self.watcher.containers.values() if entry.has_processes])
        for identity in delta.removed:
            self._points.forget(identity)
            tracked = self._tracked.get(identity)
            if tracked is not None and not tracked.pending_verdicts:
                del self._tracked[identity]

    def _on_event(self, event: Event) -> None:
        identity = event.actor.id
        if event.verb.startswith("exec_") or event.verb == "destroy":
            return
        tracked = self._tracked.setdefault(identity, TrackedContainer())
        if event.verb == "start":
            tracked.events = deque(maxlen=MAX_EVENTS)
            tracked.memory_peak = None
        if event.verb == "create" and self._last_output is None:
            # An inspect waits until the start is complete. A short run may be over by then, so output is followed from
            # the start, until it is known that it can be read later.
            self._follow(tracked, identity, logs=False)
        if event.verb in {"create", "start"}:
            self._tasks.start(self._inspect(identity))
        tracked.events.append(event)
        if event.verb in {"die", "died"} and event.time_nano not in tracked.deaths:
            tracked.deaths.append(event.time_nano)
            tracked.pending_verdicts += 1
            self._pending[event.time_nano] = self._pending.get(event.time_nano, 0) + 1
            self._tasks.start(self._judge(event, tracked))

    def _on_inspected(self, container: Container) -> None:
        """Use an inspect of the watcher: keep a running container's, and record an unreported death."""
        if container.state.running:
            self._remember(self._tracked.setdefault(container.id, TrackedContainer()), container)
            return
        die = death_from_inspect(container)
        if die is not None and die.time_nano > self._since:
            self._tasks.start(self._record_if_missed(die))

    async def _inspect(self, identity: str) -> None:
        """Inspect a container while it runs: its main process and configuration may be gone after its death."""
        tracked = self._tracked.get(identity)
        if tracked is None:
            return
        async with self._urgent:
            try:
                container = await self._engine.containers.inspect(identity)
            except PydError:
                return
        self._remember(tracked, container)

    def _remember(self, tracked: TrackedContainer, container: Container) -> None:
        if container.state.running or tracked.container is None:
            tracked.container = container
        if not container.host_config.auto_remove or self._last_output is not None:
            tracked.stop_listening()
        elif container.host_config.log_config.type in READABLE_LOG_DRIVERS:
            if container.state.running and not tracked.has_past_output:
                self._follow(tracked, container.id, logs=True)
        elif tracked.tail is None:
            self._follow(tracked, container.id, logs=False)

    def _follow(self, tracked: TrackedContainer, identity: str, *, logs: bool) -> None:
        """Follow its output, in place of a tail that may have missed the first of it."""
        if self._followed >= MAX_FOLLOWED_LOGS:
            return
        earlier = tracked.tail.lines if tracked.tail is not None else ()
        tracked.stop_listening()
        tracked.tail, tracked.has_past_output = OutputTail(earlier), logs
        tracked.listening = self._tasks.start(self._listen(identity, tracked.tail, logs=logs))

    def _start_catch_up(self) -> None:
        if not self._catching_up:
            self._catching_up = True
            self._tasks.start(self._catch_up(), name="recorder catches up")

    async def _catch_up(self) -> None:
        """Record deaths while no recorder ran, as far as the engine remembers them."""
        try:
            shared = await self._shared_evidence()
            remembered = await fetch_all(self._engine, shared.tool, since_ns=self._since)
            for container_events in (remembered or {}).values():
                for die, events in split_deaths(container_events):
                    if die.time_nano > self._since:
                        await self._judge_missed(die, events, within_ns=0)
        finally:
            self._caught_up.set()

    async def _record_if_missed(self, die: Event) -> None:
        """Record a death that inspect shows, unless events report it too."""
        await self._caught_up.wait()
        await asyncio.sleep(VERDICT_DELAY_S)
        await self._judge_missed(die, (), within_ns=MAX_SKEW_NS)

    async def _judge_missed(self, die: Event, events: tuple[Event, ...], *, within_ns: int) -> None:
        identity, died_ns = die.actor.id, die.time_nano
        tracked = self._tracked.get(identity)
        recorded = () if tracked is None else tracked.deaths
        unwritten = (death.ended_ns for death in self._deaths if death.container == identity)
        if any(abs(time_ns - died_ns) <= within_ns for time_ns in (*recorded, *unwritten)):
            return
        if self._store.has_death(identity, died_ns, within_ns=within_ns):
            return
        if tracked is None and identity in self.watcher.containers:
            tracked = self._tracked[identity] = TrackedContainer()
        if tracked is not None:
            tracked.deaths.append(died_ns)
        await self._record(die, TrackedContainer(), None, events)

    async def _shared_evidence(self) -> SharedEvidence:
        if self._shared is None:
            self._shared = await SharedEvidence.of(self._engine, look=self._kernel.look)
        return self._shared

    async def _listen(self, identity: str, tail: OutputTail, *, logs: bool) -> None:
        self._followed += 1
        try:
            await tail.listen(self._engine, identity, logs=logs)
        finally:
            self._followed -= 1

    async def _judge(self, die: Event, tracked: TrackedContainer) -> None:
        identity = die.actor.id
        try:
            remembered = tracked.container
            events = tracked.events
            await asyncio.sleep(VERDICT_DELAY_S)
            await self._record(die, tracked, remembered, tuple(events))
        finally:
            self._pending[die.time_nano] -= 1
            if not self._pending[die.time_nano]:
                del self._pending[die.time_nano]
            tracked.pending_verdicts -= 1
            if not tracked.pending_verdicts and identity not in self.watcher.containers:
                self._tracked.pop(identity, None)

    async def _record(
        self, die: Event, tracked: TrackedContainer, remembered: Container | None, events: tuple[Event, ...]
    ) -> None:
        """Record a death once the engine responds: it may be shutting down itself."""
        backoff = Backoff()
        while True:
            try:
                async with self._limit:
                    death = await self._build_death(die, tracked, remembered, events)
                break
            except EngineUnavailable:
                await backoff.wait()
        self._deaths.append(death)
        self._flush()
        if self._on_death is not None:
            await self._on_death(death)

    async def _build_death(
        self, die: Event, tracked: TrackedContainer, remembered: Container | None, events: tuple[Event, ...]
    ) -> Death:
        identity = die.actor.id
        shared = await self._shared_evidence()
        async with self._kernel_lock:  # the kernel log may be long, and other tasks need the loop
            shared.look_again()
            await asyncio.to_thread(shared.look)
        removed = False
        try:
            container = await self._engine.containers.inspect(identity)
        except NotFound:
            removed = True
            container = remembered or snapshot_from_event(die)
        events = await self._complete_events(die, events, shared.tool)
        started = next((event.time_nano for event in events if event.verb == "start"), None)
        case = Case(
            container=snapshot_at_death(container, die, started_ns=started),
            now_ns=max(time.time_ns(), die.time_nano),
            tool=shared.tool,
            events=events,
        )
        if tracked.tail is not None:
            case.lines = tracked.tail.lines
        elif removed and self._last_output is not None and (pieces := self._last_output(identity)):
            tail = OutputTail()
            for stream, data in pieces:
                tail.feed(stream, data)
            case.lines = tail.lines
        if removed and not case.lines:
            case.lines = ()
            reason = "it was removed before its output could be read"
            case.unread.append(UnavailableSource(source="log", reason=reason, would_tell=LOG_TELLS))
        peak = tracked.memory_peak
        pid = remembered.state.pid if remembered is not None else 0
        await complete(case, self._engine, shared, main_pid=pid)
        for oom in case.ooms:
            if oom.limit_bytes is not None and group_named(oom.limit_cgroup, identity):
                # Whatever was measured before, it then used its full limit.
                peak = max(peak or 0, oom.limit_bytes)
                self._points.add_limit(identity, oom.time_ns, oom.limit_bytes)
        case.cgroup = Cgroup(memory_peak=peak)
        verdict = decide(case)
        return Death(
            name=case.name,
            container=identity,
            image=case.container.config.image,
            engine=self._engine.endpoint.url,
            started_ns=None if case.run.started_ns == die.time_nano else case.run.started_ns,
            ended_ns=die.time_nano,
            code=case.run.code,
            memory_peak=peak,
            verdict=verdict,
            lines=tuple(line.text for line in case.lines or ()),
        )

    async def _complete_events(self, die: Event, events: tuple[Event, ...], tool: str) -> tuple[Event, ...]:
        """Complete the events of a run that started, or was stopped, before the recorder ran."""
        if any(event.verb == "start" for event in events):
            return events
        try:
            until = max(time.time_ns(), die.time_nano)
            remembered = await fetch(self._engine, die.actor.id, tool, since_ns=10**9, until_ns=until)
        except EngineUnavailable:
            raise
        except PydError:
            return events
        return next((run for death, run in split_deaths(remembered) if death.time_nano == die.time_nano), events)

    def _on_measured(self) -> None:
        for identity in self.stats.sampled:
            if (usage := self.stats.usage.get(identity)) is None:
                continue
            tracked = self._tracked.get(identity)
            if tracked is not None:
                # The peak is read rarely, so the present use may exceed it.
                tracked.memory_peak = (
                    max(tracked.memory_peak or 0, usage.memory_peak or 0, usage.memory_bytes or 0) or None
                )
            self._points.add(identity, usage)

    def _flush(self) -> None:
        if not self._deaths and not self._points:
            return
        self._points_due_s = time.monotonic() + POINTS_INTERVAL_S
        deaths, self._deaths = self._deaths, []
        points = self._points.take()
        try:
            self._store.add(deaths, points, listened=self._listened_until())
        except ConfigError as error:
            self._report(error.message)
            self._deaths = (deaths + self._deaths)[-200:]  # retried with the next write; points aren't worth it
        else:
            self._last_problem = ""

    def _listened_until(self) -> tuple[str, int] | None:
        """Return the time until which nothing is missing: deaths with pending verdicts aren't written yet."""
        if self.watcher.connection.state != "live" or not self._caught_up.is_set():
            return None
        return self._engine.endpoint.url, min((time.time_ns(), *self._pending))

    def _thin(self) -> None:
        try:
            self._store.add(listened=self._listened_until())
            self._store.thin()
        except Exception as error:  # noqa: BLE001 - recording continues whatever the disk error
            self._report(str(error))

    def _report(self, text: str) -> None:
        if text != self._last_problem:
            self._last_problem = text
            self._on_problem(text)
