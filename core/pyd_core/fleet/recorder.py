"""Recording how containers die, so that a verdict outlives restart and removal."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable

import msgspec

from pyd_core.engine.client import Engine
from pyd_core.errors import ConfigError, NotFound, PydError
from pyd_core.fleet.delta import Delta
from pyd_core.fleet.fleet import Fleet
from pyd_core.fleet.history_store import Death, HistoryStore, Point
from pyd_core.fleet.meter import Meter
from pyd_core.fleet.tail import Tail
from pyd_core.model.base import format_time
from pyd_core.model.container import Container
from pyd_core.model.container_state import ContainerState
from pyd_core.model.event import Event
from pyd_core.tasks import TaskOwner
from pyd_core.triage.collect.gather import Surroundings, complete
from pyd_core.triage.collect.kernel import KernelWatch
from pyd_core.triage.collect.log import TELLS as LOG_TELLS
from pyd_core.triage.evidence import Case, Cgroup, Unread
from pyd_core.triage.verdict import decide

PERIOD = 1.0
"""Seconds between two writes: what a kill of the recorder may lose."""
SETTLE = 0.4
"""Seconds. `oom` and `stop` are told beside `die`, in any order, and nothing tells that no more comes."""
MOST_EVENTS = 64
"""Kept of each container's present run."""
AT_ONCE = 8
"""Verdicts at a time, and inspections of what ran before the recorder."""
URGENT = 32
"""Inspections at a time of what has just been made: a short life is over before its turn would come in that queue."""
MOST_FOLLOWED = 32
"""Logs followed live, because their containers and logs go as soon as they end (`--rm`)."""


class _Known:
    """What is remembered of a container while it lives."""

    def __init__(self) -> None:
        self.events: deque[Event] = deque(maxlen=MOST_EVENTS)
        self.container: Container | None = None
        self.tail: Tail | None = None
        self.listening: asyncio.Task[None] | None = None
        self.peak: int | None = None
        self.judging = 0

    def let_go(self) -> None:
        """Stops listening to its output: it can be read later."""
        if self.listening is not None:
            self.listening.cancel()
        self.tail = self.listening = None


class Recorder:
    """Follows an engine and writes each death to a history.

    Args:
        engine: The engine, asynchronous; whoever made it closes it.
        store: Where deaths go.
        on_death: Awaited with each death after it was written.
        on_problem: Told in a sentence when something could not be recorded.
    """

    def __init__(
        self,
        engine: Engine,
        store: HistoryStore,
        *,
        on_death: Callable[[Death], Awaitable[None]] | None = None,
        on_problem: Callable[[str], None] | None = None,
    ) -> None:
        self._engine = engine
        self._store = store
        self._on_death = on_death
        self._on_problem = on_problem or (lambda _: None)
        self._known: dict[str, _Known] = {}
        self._deaths: list[Death] = []
        self._points: list[Point] = []
        self._limit = asyncio.Semaphore(AT_ONCE)
        self._urgent = asyncio.Semaphore(URGENT)
        self._followed = 0
        self._around: Surroundings | None = None
        self._kernel = KernelWatch()
        self._said = ""
        self.fleet = Fleet(engine)
        self.meter = Meter(engine, self.fleet)
        self._tasks = TaskOwner(on_error=lambda error: self._problem(str(error)))

    async def run(self) -> None:
        """Records until cancelled; what is known by then is written."""
        end = self.fleet.subscribe(self._changed)
        end_meter = self.meter.subscribe(self._measured)
        self._tasks.start(self.fleet.run(), name="recorder fleet")
        self._tasks.start(self.meter.run(), name="recorder meter")
        next_thin = time.monotonic()
        try:
            while True:
                await asyncio.sleep(PERIOD)
                self._flush()
                if time.monotonic() >= next_thin:
                    next_thin += 60
                    self._thin()
        finally:
            end()
            end_meter()
            await self._tasks.aclose()
            self._flush()
            self._kernel.close()

    def _changed(self, delta: Delta) -> None:
        for event in delta.events:
            if event.type == "container" and event.actor.id:
                self._heard(event)
        alive = [entry.id for entry in self.fleet.containers.values() if entry.alive]
        self.meter.watch(alive)
        for identity in alive:
            if identity not in self._known:
                self._known[identity] = _Known()
                self._tasks.start(self._learn(identity, self._limit))
        for identity in delta.removed:
            known = self._known.get(identity)
            if known is not None and not known.judging:
                del self._known[identity]

    def _heard(self, event: Event) -> None:
        identity = event.actor.id
        if event.verb.startswith("exec_") or event.verb == "destroy":
            return
        known = self._known.setdefault(identity, _Known())
        if event.verb == "start":
            known.events = deque(maxlen=MOST_EVENTS)
            known.peak = None
        if event.verb == "create" and self._followed < MOST_FOLLOWED:
            # Inspecting waits until the start is over. A short life may be over by then too, so output is listened to
            # from the beginning, and let go of once it is known that it can be read later.
            known.tail = Tail()
            known.listening = self._tasks.start(self._listen(identity, known.tail))
        if event.verb in {"create", "start"}:
            self._tasks.start(self._learn(identity, self._urgent))
        known.events.append(event)
        if event.verb in {"die", "died"}:
            known.judging += 1
            self._tasks.start(self._judge(identity, event, known))

    async def _learn(self, identity: str, turn: asyncio.Semaphore) -> None:
        """Looks at a container while it lives: its main process and its configuration may be gone when it has died."""
        known = self._known.get(identity)
        if known is None:
            return
        async with turn:
            try:
                found = await self._engine.containers.inspect(identity)
            except PydError:
                return
        if found.state.running or known.container is None:
            known.container = found
        if not found.host_config.auto_remove:
            known.let_go()
        elif known.tail is None and self._followed < MOST_FOLLOWED:
            known.tail = Tail()
            known.listening = self._tasks.start(self._listen(identity, known.tail))

    async def _listen(self, identity: str, tail: Tail) -> None:
        self._followed += 1
        try:
            await tail.listen(self._engine, identity)
        finally:
            self._followed -= 1

    async def _judge(self, identity: str, die: Event, known: _Known) -> None:
        try:
            remembered = known.container
            events = known.events
            await asyncio.sleep(SETTLE)
            async with self._limit:
                await self._record(identity, die, known, remembered, tuple(events))
        finally:
            known.judging -= 1
            if not known.judging and identity not in self.fleet.containers:
                self._known.pop(identity, None)

    async def _record(
        self, identity: str, die: Event, known: _Known, remembered: Container | None, events: tuple[Event, ...]
    ) -> None:
        if self._around is None:
            self._around = await Surroundings.of(self._engine, look=self._kernel.look)
        self._around.look_again()
        gone = False
        try:
            container = await self._engine.containers.inspect(identity)
        except NotFound:
            gone = True
            container = remembered or _bare(die)
        started = next((event.time_nano for event in events if event.verb == "start"), None)
        case = Case(
            container=_as_dead(container, die, started_ns=started),
            now_ns=max(time.time_ns(), die.time_nano),
            tool=self._around.tool,
            events=events,
        )
        if known.tail is not None:
            case.lines = known.tail.lines
        if gone and not case.lines:
            case.lines = ()
            reason = "it was removed before its output could be read"
            case.unread.append(Unread(source="log", reason=reason, would_tell=LOG_TELLS))
        peak = known.peak
        pid = remembered.state.pid if remembered is not None else 0
        await complete(case, self._engine, self._around, main_pid=pid)
        case.cgroup = Cgroup(memory_peak=peak)
        verdict = decide(case)
        death = Death(
            name=case.name,
            container=identity,
            image=case.container.config.image,
            engine=self._engine.endpoint.url,
            started_ns=case.run.started_ns,
            ended_ns=die.time_nano,
            code=case.run.code,
            memory_peak=peak,
            verdict=verdict,
            lines=tuple(line.text for line in case.lines or ()),
        )
        self._deaths.append(death)
        if self._on_death is not None:
            await self._on_death(death)

    def _measured(self) -> None:
        for identity, usage in self.meter.usage.items():
            known = self._known.get(identity)
            if known is not None:
                # The peak is read seldom; what is used now may be above the last one read.
                known.peak = max(known.peak or 0, usage.memory_peak or 0, usage.memory_bytes or 0) or None
            cpu = None if usage.cpu_percent is None else round(usage.cpu_percent * 10)
            memory = None if usage.memory_bytes is None else usage.memory_bytes // 1024
            self._points.append(Point(usage.time_ns // 10**9, sys.intern(identity), cpu, memory))

    def _flush(self) -> None:
        if not self._deaths and not self._points:
            return
        deaths, self._deaths = self._deaths, []
        points, self._points = self._points, []
        try:
            self._store.add(deaths, points)
        except ConfigError as error:
            self._problem(error.message)
            self._deaths = (deaths + self._deaths)[-200:]  # tried again with the next; points are not worth it
        else:
            self._said = ""

    def _thin(self) -> None:
        try:
            self._store.thin()
        except Exception as error:  # noqa: BLE001 - whatever the disk says, recording goes on
            self._problem(str(error))

    def _problem(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self._on_problem(text)


def _bare(die: Event) -> Container:
    """A container that was gone before anybody could look: all that is known is in its last event."""
    attributes = die.actor.attributes
    return Container(id=die.actor.id, name_=f"/{attributes.get('name', '')}")


def _as_dead(container: Container, die: Event, *, started_ns: int | None) -> Container:
    """The container as inspect would have shown it right after that death.

    By now it may run again, or be gone; its pid and health are those of another time.
    """
    state = container.state
    code = die.actor.attributes.get("exitCode") or die.actor.attributes.get("containerExitCode") or ""
    number = int(code) if code.isdigit() else None
    same = not state.running and abs((state.finished_ns or 0) - die.time_nano) < 5 * 10**9
    seen = state if same else ContainerState(oom_killed=False, started_at=state.started_at)
    started = seen.started_at if same or started_ns is None else format_time(started_ns)
    dead = msgspec.structs.replace(
        seen,
        status="exited",
        running=False,
        paused=False,
        restarting=state.restarting or (state.running and container.restart_count > 0),
        pid=0,
        exit_code=state.exit_code if number is None else number,
        started_at=started or format_time(die.time_nano),
        finished_at=seen.finished_at if same else format_time(die.time_nano),
        health=None,
    )
    return msgspec.structs.replace(container, state=dead)
