"""Watch of pods, shared by everything in this process that follows them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pyd_core.errors import PydError, StreamInterrupted
from pyd_core.kube.pod_store import PodStore
from pyd_core.model.event import Event
from pyd_core.tasks import TaskOwner

MAX_WAITING_EVENTS = 20_000
"""Events that a slow subscriber may leave waiting before its stream is cut."""


class PodFeed:
    """Distributes the changes of a store's pods; it watches while there are subscribers.

    Args:
        store: The pods.
    """

    def __init__(self, store: PodStore) -> None:
        self.store = store
        self._queues: set[asyncio.Queue[Event | PydError]] = set()
        self._tasks = TaskOwner(self._failed)
        self._task: asyncio.Task[None] | None = None
        self._listed: asyncio.Future[None] | None = None

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[AsyncIterator[Event]]:
        """Yield the events of all pods; once the block is entered, the pods are listed and no later event is missed.

        Raises:
            PydError: The pods can't be listed; from the iteration: the watch was lost.
        """
        queue: asyncio.Queue[Event | PydError] = asyncio.Queue()
        self._queues.add(queue)
        try:
            if self._task is None or self._task.done():
                self._listed = asyncio.get_running_loop().create_future()
                self._task = self._tasks.start(self._run(self._listed), name="pods")
            if self._listed is not None:
                await asyncio.shield(self._listed)
            yield self._events(queue)
        finally:
            self._queues.discard(queue)
            if not self._queues and self._task is not None:
                task, self._task = self._task, None
                task.cancel()

    async def aclose(self) -> None:
        """End the watch."""
        self._task = None
        await self._tasks.aclose()

    async def _events(self, queue: asyncio.Queue[Event | PydError]) -> AsyncIterator[Event]:
        while True:
            item = await queue.get()
            if isinstance(item, PydError):
                raise item
            yield item

    async def _run(self, listed: asyncio.Future[None]) -> None:
        try:
            async for events in self.store.changes():
                if not listed.done():
                    listed.set_result(None)
                self._publish(events)
        except PydError as error:
            if not listed.done():
                listed.set_exception(error)
                listed.exception()  # a subscriber that left meanwhile doesn't fetch it
            self._end(error)
        finally:
            if not listed.done():
                listed.cancel()

    def _publish(self, events: list[Event]) -> None:
        for queue in [*self._queues]:
            if queue.qsize() > MAX_WAITING_EVENTS:
                self._queues.discard(queue)
                queue.put_nowait(StreamInterrupted("too many changes are waiting to be shown"))
                continue
            for event in events:
                queue.put_nowait(event)

    def _end(self, error: PydError) -> None:
        for queue in self._queues:
            queue.put_nowait(error)

    def _failed(self, error: Exception) -> None:
        known = error if isinstance(error, PydError) else PydError(f"internal error: {type(error).__name__}: {error}")
        self._end(known)
