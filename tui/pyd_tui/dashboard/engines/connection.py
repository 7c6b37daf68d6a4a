"""The dashboard's connection to an engine: found, opened and reopened in the background."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextvars import Context, copy_context
from time import time_ns
from typing import TYPE_CHECKING, Protocol

from pyd_core.client.capabilities import Capability
from pyd_core.errors import EngineUnavailable, PydError
from pyd_core.tasks import TaskOwner
from pyd_core.watch.container_info import ContainerInfo
from pyd_core.watch.delta import ConnectionState, Delta
from pyd_tui.dashboard.engines.timeline import Timeline
from pyd_tui.dashboard.engines.verdict_cache import VerdictCache
from pyd_tui.dashboard.logs.annotations import known_marks
from pyd_tui.dashboard.render.containers import is_broken, may_be_broken

if TYPE_CHECKING:
    from pyd_core.client.endpoint import Endpoint
    from pyd_core.client.provider import Provider
    from pyd_core.logs.annotation import Annotation
    from pyd_core.watch.container_watcher import ContainerWatcher
    from pyd_core.watch.stats import Usage
    from pyd_core.watch.stats_collector import StatsCollector
    from pyd_core.watch.usage_series import Series

RETRY_INTERVAL_S = 2.0
"""The interval between attempts to find an engine. An attempt asks the file system, not the network."""

JUDGING_DELAY_S = 1.0
"""The delay from the first list to the first verdicts: loading the rules earlier would hold up the first keys."""
MAX_JUDGED = 100
"""Containers that look broken and are judged unasked, of each change; older ones are judged once they are shown."""
MAX_JUDGED_ELSEWHERE = 20
"""The same on other machines, from which triage may have to download programs."""

Choose = Callable[[], "Endpoint"]
Open = Callable[["Endpoint"], "Provider"]


class ConnectionListener(Protocol):
    """Receives the events of an engine."""

    def changed(self, link: EngineConnection, delta: Delta, *, happened: bool) -> None:
        """Take a change of containers or of the connection; `happened` is whether there are events worth showing."""

    def measured(self, link: EngineConnection) -> None:
        """Take new figures."""

    def judged(self) -> None:
        """Take a new verdict."""


class EngineConnection:
    """Owns the engine client, the container watcher, the stats collector and the verdicts.

    It can be started before it has a listener: a later listener first receives what is known by then.

    Args:
        choose: Returns the engine's address; called again until it finds one.
        open: Opens a client of an address.
        name: The user's name of the engine, where there are several.
    """

    def __init__(self, choose: Choose, open: Open | None = None, *, name: str = "") -> None:
        self.name = name
        self.started = False
        self.timeline = Timeline()
        """The events of the engine."""
        self.reported_state = "connecting"
        """The state of the connection that was last reported to the user."""
        self.recorded = False
        """Whether its deaths are recorded."""
        self._choose = choose
        self._open = open
        self._tasks = TaskOwner(self._failed)
        self._watched: frozenset[str] = frozenset()
        self._ranked = False
        self._startup_state: ConnectionState = ConnectionState("connecting", time_ns())
        self.endpoint: Endpoint | None = None
        self.engine: Provider | None = None
        self.watcher: ContainerWatcher | None = None
        self.stats: StatsCollector | None = None
        self.verdicts = VerdictCache(lambda: self.engine, self._entry)
        self._judging = False
        self._judging_starts: asyncio.TimerHandle | None = None
        self.engine_name = ""
        """The engine's product name and version; empty until it has answered."""
        self.swarm = False
        """Whether the engine manages a swarm."""
        self.processors: int | None = None
        """The number of the host's processors; None until it was requested."""
        self._listener: ConnectionListener | None = None
        self._context = Context()
        """The context that the listener's calls run in."""

    @property
    def family(self) -> str:
        """The family of the provider; `engine` until there is one."""
        return self.engine.family if self.engine is not None else "engine"

    @property
    def lacks(self) -> frozenset[str]:
        """The actions on containers that the provider lacks."""
        return self.engine.lacks if self.engine is not None else frozenset()

    @property
    def label(self) -> str:
        """The engine's name on screens."""
        return self.name or (self.endpoint.origin if self.endpoint is not None else "the engine")

    @property
    def connection(self) -> ConnectionState:
        """The state of the connection."""
        return self._startup_state if self.watcher is None else self.watcher.connection

    @property
    def containers(self) -> Mapping[str, ContainerInfo]:
        """All known containers, by id."""
        return {} if self.watcher is None else self.watcher.containers

    @property
    def usage(self) -> Mapping[str, Usage]:
        """The resource usage of measured containers, by id."""
        return {} if self.stats is None else self.stats.usage

    @property
    def broken(self) -> int:
        """The number of containers with problems."""
        return sum(map(self.is_broken, self.containers.values()))

    @property
    def series(self) -> Mapping[str, Series]:
        """The resource usage over time of containers that were measured, by id."""
        return {} if self.stats is None else self.stats.series

    def require(self) -> Provider:
        """Return the engine client.

        Raises:
            EngineUnavailable: No engine answers yet.
        """
        if self.engine is None:
            raise EngineUnavailable("there is no engine yet", hint="pyd keeps trying")
        return self.engine

    def known_marks(self, ids: Sequence[str]) -> list[Annotation]:
        """Return the known starts and deaths of containers, to show between the lines of their logs."""
        return known_marks(ids, self.timeline.items, self.containers)

    def _entry(self, identity: str) -> ContainerInfo | None:
        return self.containers.get(identity)

    def is_broken(self, entry: ContainerInfo) -> bool:
        """Return whether a container has problems, by triage's verdict where there is one."""
        return is_broken(entry, self.verdicts.of(entry))

    def start(self) -> None:
        """Start to look for the engine, in the background; only the first call has an effect."""
        if not self.started:
            self.started = True
            self._tasks.start(self._run(), name="connection")

    def listen(self, listener: ConnectionListener) -> None:
        """Pass events to `listener`, in the context of this call, and what is known already right now."""
        self._listener, self._context = listener, copy_context()
        self.verdicts.on_verdict = listener.judged
        if self.started:
            self._notify(Delta(changed=frozenset(self.containers)), happened=bool(self.timeline.items))
        if self.watcher is not None:
            self.watcher.enable_inspect()

    def sibling(self, choose: Choose, name: str) -> EngineConnection:
        """Return a connection to another engine, not started yet."""
        return EngineConnection(choose, self._open, name=name)

    async def aclose(self) -> None:
        """Close the connection."""
        if self._judging_starts is not None:
            self._judging_starts.cancel()
        await self._tasks.aclose()
        await self.verdicts.aclose()
        if self.engine is not None:
            await self.engine.aclose()

    def watch(self, ids: Collection[str], *, ranked: bool = False) -> None:
        """Measure these containers each second; the others less often, and only where that costs no requests.

        Args:
            ids: The containers on screen.
            ranked: Whether an order by usage is on screen.
        """
        self._watched, self._ranked = frozenset(ids), ranked
        if self.stats is not None:
            self.stats.watch(self._watched, ranked=ranked)

    def count_processors(self) -> None:
        """Ask for the number of processors, once; the listener is called when it is known."""
        if self.processors is None and self.engine is not None:
            self._tasks.start(self._count_processors(self.engine), name="processors")

    async def _count_processors(self, engine: Provider) -> None:
        self.processors = (await engine.system.info()).ncpu or None
        self._measured()

    async def _run(self) -> None:
        self.endpoint = await self._find()
        engine = self.engine = await asyncio.to_thread(self._open_engine, self.endpoint)
        from pyd_core.watch.container_watcher import ContainerWatcher  # noqa: PLC0415 - after the first picture
        from pyd_core.watch.stats_collector import (  # noqa: PLC0415 - after the first picture
            REST_INTERVAL_S,
            StatsCollector,
        )

        watcher = ContainerWatcher(engine, inspect=self._listener is not None)
        watcher.subscribe(self._changed)
        self.watcher = watcher
        self.stats = StatsCollector(engine, watcher, rest_interval_s=REST_INTERVAL_S)
        self.stats.subscribe(self._sampled)
        self.stats.watch(self._watched, ranked=self._ranked)
        self._tasks.start(watcher.run(), name="container watcher")
        self._tasks.start(self.stats.run(), name="stats collector")

    async def _find(self) -> Endpoint:
        while True:
            try:
                return await asyncio.to_thread(self._choose)
            except PydError as error:
                if self._startup_state.state != "lost" or str(self._startup_state.error) != str(error):
                    self._startup_state = ConnectionState("lost", time_ns(), error)
                    self._notify(Delta())
            await asyncio.sleep(RETRY_INTERVAL_S)

    def _open_engine(self, endpoint: Endpoint) -> Provider:
        if self._open is not None:
            return self._open(endpoint)
        from pyd_core.providers import open_provider  # noqa: PLC0415 - loads the HTTP library

        return open_provider(endpoint)

    def _changed(self, delta: Delta) -> None:
        if not self.engine_name and self.connection.state == "live":
            self.engine_name = "engine"
            self._tasks.start(self._introduce(), name="engine version")
        self.verdicts.forget(delta.removed)
        if self._listener is not None and self.connection.state == "live":
            self._judge(delta.changed)
        names = {identity: entry.name for identity, entry in self.containers.items()} if _has_networks(delta) else {}
        self._notify(delta, happened=self.timeline.apply(delta, names))

    def _judge(self, changed: Collection[str]) -> None:
        """Request verdicts on containers that look broken, the latest ones first."""
        if not self._judging:
            if self._judging_starts is None:
                self._judging_starts = asyncio.get_running_loop().call_later(JUDGING_DELAY_S, self._start_judging)
            return
        suspects = [entry for identity in changed if (entry := self.containers.get(identity)) and may_be_broken(entry)]
        suspects.sort(key=lambda entry: -(entry.finished_ns or entry.started_ns or 0))
        is_local = self.endpoint is not None and self.endpoint.is_local
        self.verdicts.request(suspects[: MAX_JUDGED if is_local else MAX_JUDGED_ELSEWHERE])

    def _start_judging(self) -> None:
        self._judging = True
        self._judge(self.containers.keys())

    def _notify(self, delta: Delta, *, happened: bool = False) -> None:
        if self._listener is not None:
            self._context.copy().run(self._listener.changed, self, delta, happened=happened)

    def _sampled(self) -> None:
        stats = self.stats
        if stats is not None and (self._ranked or not self._watched.isdisjoint(stats.sampled)):
            self._measured()

    def _measured(self) -> None:
        if self._listener is not None:
            self._context.copy().run(self._listener.measured, self)

    async def _introduce(self) -> None:
        if self.engine is None:
            return
        self.swarm = await self.engine.can(Capability.SWARM_MANAGER)
        version = await self.engine.system.version()
        self.engine_name = f"{version.product} {version.version.partition('+')[0]}".strip()
        self._notify(Delta())

    def _failed(self, error: Exception) -> None:
        known = error if isinstance(error, PydError) else PydError(f"internal error: {type(error).__name__}: {error}")
        if self.watcher is None:
            self._startup_state = ConnectionState("lost", time_ns(), known)
        self._notify(Delta())


def _has_networks(delta: Delta) -> bool:
    return any(event.type == "network" for event in delta.events)
