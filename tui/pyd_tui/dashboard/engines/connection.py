"""The dashboard's line to an engine: found, opened, and found again, without anything on screen waiting for it."""

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
from pyd_tui.dashboard.render.containers import is_broken

if TYPE_CHECKING:
    from pyd_core.client.endpoint import Endpoint
    from pyd_core.client.engine_client import EngineClient
    from pyd_core.logs.annotation import Annotation
    from pyd_core.watch.container_watcher import ContainerWatcher
    from pyd_core.watch.stats import Usage
    from pyd_core.watch.stats_collector import StatsCollector
    from pyd_core.watch.usage_series import Series

LOOK_AGAIN = 2.0
"""Seconds between two looks for an engine while there is none. A look asks the file system, not the network."""

Choose = Callable[[], "Endpoint"]
Open = Callable[["Endpoint"], "EngineClient"]


class ConnectionListener(Protocol):
    """Who is told what happens on an engine."""

    def changed(self, link: EngineConnection, delta: Delta, *, happened: bool) -> None:
        """Containers or the connection changed; `happened` says whether there are events worth showing."""

    def measured(self, link: EngineConnection) -> None:
        """There are new figures."""

    def judged(self) -> None:
        """There is a verdict more."""


class EngineConnection:
    """Owns the engine client, the fleet, the meter and the judge.

    It can be started before there is anybody to tell: whoever listens later is told what is known by then.

    Args:
        choose: Finds the engine's address; asked again and again while there is none.
        open: Makes a client of an address.
        name: What the user calls the engine, where there are several.
    """

    def __init__(self, choose: Choose, open: Open | None = None, *, name: str = "") -> None:
        self.name = name
        self.started = False
        self.timeline = Timeline()
        """What happened on it."""
        self.told = "connecting"
        """The state of the connection that the user was told of."""
        self.recorded = False
        """Whether its deaths are written down."""
        self._choose = choose
        self._open = open
        self._tasks = TaskOwner(self._failed)
        self._watched: frozenset[str] = frozenset()
        self._trouble: ConnectionState = ConnectionState("connecting", time_ns())
        self.endpoint: Endpoint | None = None
        self.engine: EngineClient | None = None
        self.fleet: ContainerWatcher | None = None
        self.meter: StatsCollector | None = None
        self.judge = VerdictCache(lambda: self.engine)
        self.engine_name = ""
        """What the engine calls itself, with its version; empty until it has said so."""
        self.swarm = False
        """Whether it manages a swarm."""
        self.processors: int | None = None
        """How many processors the engine's machine has, once somebody has asked."""
        self._listener: ConnectionListener | None = None
        self._context = Context()
        """What the listener's calls run in."""

    @property
    def label(self) -> str:
        """What to call the engine on the screen."""
        return self.name or (self.endpoint.origin if self.endpoint is not None else "the engine")

    @property
    def connection(self) -> ConnectionState:
        """How the connection does."""
        return self._trouble if self.fleet is None else self.fleet.connection

    @property
    def containers(self) -> Mapping[str, ContainerInfo]:
        """Every container known, by id."""
        return {} if self.fleet is None else self.fleet.containers

    @property
    def usage(self) -> Mapping[str, Usage]:
        """Resource use of the containers watched, by id."""
        return {} if self.meter is None else self.meter.usage

    @property
    def broken(self) -> int:
        """How many containers somebody should look at."""
        return sum(map(self.is_broken, self.containers.values()))

    @property
    def series(self) -> Mapping[str, Series]:
        """Resource use over time of the containers that were watched, by id."""
        return {} if self.meter is None else self.meter.series

    def require(self) -> EngineClient:
        """Returns the engine.

        Raises:
            EngineUnavailable: There is none yet.
        """
        if self.engine is None:
            raise EngineUnavailable("there is no engine yet", hint="pyd keeps looking")
        return self.engine

    def known_marks(self, ids: Sequence[str]) -> list[Annotation]:
        """Returns what is known to have happened to containers so far, for their places in their log."""
        return known_marks(ids, self.timeline.items, self.containers)

    def is_broken(self, entry: ContainerInfo) -> bool:
        """Whether somebody should look at a container, by triage's word where there is one."""
        return is_broken(entry, self.judge.of(entry))

    def start(self) -> None:
        """Begins to look for the engine, once; returns at once."""
        if not self.started:
            self.started = True
            self._tasks.start(self._run(), name="link")

    def listen(self, listener: ConnectionListener) -> None:
        """Has `listener` told what happens, in the context of this call; what is known already is told now."""
        self._listener, self._context = listener, copy_context()
        self.judge.on_verdict = listener.judged
        if self.started:
            self._tell(Delta(changed=frozenset(self.containers)), happened=bool(self.timeline.items))
        if self.fleet is not None:
            self.fleet.enable_inspect()

    def beside(self, choose: Choose, name: str) -> EngineConnection:
        """Makes a link to another engine."""
        return EngineConnection(choose, self._open, name=name)

    async def aclose(self) -> None:
        """Ends everything."""
        await self._tasks.aclose()
        await self.judge.aclose()
        if self.engine is not None:
            await self.engine.aclose()

    def watch(self, ids: Collection[str]) -> None:
        """Measures these containers from now on, and no others."""
        self._watched = frozenset(ids)
        if self.meter is not None:
            self.meter.watch(self._watched)

    def count_processors(self) -> None:
        """Asks how many processors there are, once; the listener is told when that is known."""
        if self.processors is None and self.engine is not None:
            self._tasks.start(self._count_processors(self.engine), name="processors")

    async def _count_processors(self, engine: EngineClient) -> None:
        self.processors = (await engine.system.info()).ncpu or None
        self._measured()

    async def _run(self) -> None:
        self.endpoint = await self._find()
        engine = self.engine = await asyncio.to_thread(self._open_engine, self.endpoint)
        from pyd_core.watch.container_watcher import ContainerWatcher  # noqa: PLC0415 - after the first picture
        from pyd_core.watch.stats_collector import StatsCollector  # noqa: PLC0415 - after the first picture

        fleet = ContainerWatcher(engine, inspect=self._listener is not None)
        fleet.subscribe(self._changed)
        self.fleet = fleet
        self.meter = StatsCollector(engine, fleet)
        self.meter.subscribe(self._measured)
        self.meter.watch(self._watched)
        self._tasks.start(fleet.run(), name="fleet")
        self._tasks.start(self.meter.run(), name="meter")

    async def _find(self) -> Endpoint:
        while True:
            try:
                return await asyncio.to_thread(self._choose)
            except PydError as error:
                if self._trouble.state != "lost" or str(self._trouble.error) != str(error):
                    self._trouble = ConnectionState("lost", time_ns(), error)
                    self._tell(Delta())
            await asyncio.sleep(LOOK_AGAIN)

    def _open_engine(self, endpoint: Endpoint) -> EngineClient:
        if self._open is not None:
            return self._open(endpoint)
        from pyd_core.client.connect import open_engine  # noqa: PLC0415 - loads the HTTP library

        return open_engine(endpoint)

    def _changed(self, delta: Delta) -> None:
        if not self.engine_name and self.connection.state == "live":
            self.engine_name = "engine"
            self._tasks.start(self._introduce(), name="engine version")
        self.judge.forget(delta.removed)
        self._tell(delta, happened=self.timeline.apply(delta))

    def _tell(self, delta: Delta, *, happened: bool = False) -> None:
        if self._listener is not None:
            self._context.copy().run(self._listener.changed, self, delta, happened=happened)

    def _measured(self) -> None:
        if self._listener is not None:
            self._context.copy().run(self._listener.measured, self)

    async def _introduce(self) -> None:
        if self.engine is None:
            return
        self.swarm = await self.engine.can(Capability.SWARM_MANAGER)
        version = await self.engine.system.version()
        self.engine_name = f"{version.product} {version.version.partition('+')[0]}".strip()
        self._tell(Delta())

    def _failed(self, error: Exception) -> None:
        known = error if isinstance(error, PydError) else PydError(f"internal error: {type(error).__name__}: {error}")
        if self.fleet is None:
            self._trouble = ConnectionState("lost", time_ns(), known)
        self._tell(Delta())
