"""Pausing and unpausing of containers."""

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
    """Pauses containers; they are recorded as paused before they are frozen, so that a crash can't hide it."""

    def __init__(self, *, containers: ContainerStore, runtimes: Runtimes, events: EventBus, tasks: TaskOwner) -> None:
        self._containers = containers
        self._runtimes = runtimes
        self._events = events
        self._tasks = tasks

    async def pause(self, container: EngineContainer, *, thaw: bool = False) -> None:
        """Freeze a container.

        Args:
            container: The container.
            thaw: Whether an engine that finds it paused at its start unpauses it.

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
            # Recorded first, where the disk has room: a frozen container must be known as such after a crash too.
            record.status, record.thaw = "paused", thaw
            self._containers.save_best_effort(container)
            try:
                await self._runtimes.of(record).pause(record.id)
            except BaseException:
                await self._resume(container)
                raise
        self._events.emit("container", "pause", record.id, container.attributes())

    async def unpause(self, container: EngineContainer) -> None:
        """Unpause a container.

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
        with contextlib.suppress(Conflict):  # a crash came before it was frozen
            await self._runtimes.of(record).resume(record.id)
        record.status, record.thaw = "running", False
        self._containers.save_best_effort(container)

    async def thaw(self, container: EngineContainer) -> None:
        """Unpause a container that an earlier engine had paused for a moment."""
        if container.record.thaw:
            with contextlib.suppress(PydError, OSError):
                await self.unpause(container)

    @contextlib.asynccontextmanager
    async def freeze_briefly(self, container: EngineContainer) -> AsyncIterator[None]:
        """Keep a running container frozen during the block; it continues in any case, even after the engine's death."""
        try:
            await self.pause(container, thaw=True)
        except Conflict:  # it has ended, so its files don't change, or another client has paused it
            paused = False
        else:
            paused = True
        try:
            yield
        finally:
            if paused:
                # A task of the engine's, because the client may leave now.
                await asyncio.shield(self._tasks.start(self._unpause_quietly(container)))

    async def _unpause_quietly(self, container: EngineContainer) -> None:
        with contextlib.suppress(Conflict):
            await self.unpause(container)
