"""Freezing running containers and letting them go on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from pyd_core.daemon.containers.collection import ContainerStore
from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.events import EventBus
from pyd_core.daemon.runtime.runtime_choice import Runtimes
from pyd_core.errors import Conflict, PydError
from pyd_core.tasks import TaskOwner


class Freezer:
    """Pauses containers; their records say so before they are frozen, and are held to it after a crash."""

    def __init__(self, *, containers: ContainerStore, runtimes: Runtimes, events: EventBus, tasks: TaskOwner) -> None:
        self._containers = containers
        self._runtimes = runtimes
        self._events = events
        self._tasks = tasks

    async def pause(self, container: EngineContainer, *, thaw: bool = False) -> None:
        """Freezes it.

        Args:
            container: The container.
            thaw: Whether an engine that finds it paused when it starts lets it go on.

        Raises:
            Conflict: It doesn't run, or is frozen already.
        """
        async with container.lock:
            record = container.record
            if record.status == "paused":
                raise Conflict(f"Container {record.id} is already paused")
            if record.status == "restarting":
                raise Conflict(f"Container {record.id} is restarting, wait until the container is running")
            if not record.running:
                raise Conflict(f"Container {record.id} is not running")
            # Written down first, where there is room for it: what is frozen must be known to be, after a crash too.
            record.status, record.thaw = "paused", thaw
            self._containers.save_best_effort(container)
            try:
                await self._runtimes.of(record).pause(record.id)
            except BaseException:
                await self._resume(container)
                raise
        self._events.emit("container", "pause", record.id, container.attributes())

    async def unpause(self, container: EngineContainer) -> None:
        """Lets it go on.

        Raises:
            Conflict: It isn't frozen.
        """
        async with container.lock:
            record = container.record
            if record.status != "paused":
                raise Conflict(f"Container {record.id} is not paused")
            await self._resume(container)
        self._events.emit("container", "unpause", record.id, container.attributes())

    async def _resume(self, container: EngineContainer) -> None:
        record = container.record
        with contextlib.suppress(Conflict):  # it wasn't frozen after all: a crash came in between
            await self._runtimes.of(record).resume(record.id)
        record.status, record.thaw = "running", False
        self._containers.save_best_effort(container)

    async def thaw(self, container: EngineContainer) -> None:
        """Lets a container go on that an engine which is gone had paused for a moment."""
        if container.record.thaw:
            with contextlib.suppress(PydError, OSError):
                await self.unpause(container)

    @contextlib.asynccontextmanager
    async def paused(self, container: EngineContainer) -> AsyncIterator[None]:
        """Keeps a running container frozen for a while; it goes on however that ends, an engine's death included."""
        try:
            await self.pause(container, thaw=True)
        except Conflict:  # it has ended meanwhile, and changes nothing any more, or is paused by somebody else
            paused = False
        else:
            paused = True
        try:
            yield
        finally:
            if paused:
                # A task of the engine's: the client may leave a second time.
                await asyncio.shield(self._tasks.start(self._go_on(container)))

    async def _go_on(self, container: EngineContainer) -> None:
        with contextlib.suppress(Conflict):
            await self.unpause(container)
