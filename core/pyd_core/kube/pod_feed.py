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
        self._begun: asyncio.Future[None] | None = None
        self._listed: asyncio.Future[None] | None = None

    @asynccontextmanager
    async def subscribe(self, *, early: bool = False) -> AsyncIterator[AsyncIterator[Event]]:
        """Yield the events of all pods; once the block is entered, the pods are listed and no later event is missed.

        Args:
            early: Enter the block after the first page of the list already.

        Raises:
            PydError: The pods can't be listed; from the iteration: the watch was lost.
        """
        queue: asyncio.Queue[Event | PydError] = asyncio.Queue()
        self._queues.add(queue)
        try:
            if self._task is None or self._task.done():
                self._begun, self._listed = (asyncio.get_running_loop().create_future() for _ in range(2))
                self._task = self._tasks.start(self._run(self._begun, self._listed), name="pods")
            expected = self._begun if early else self._listed
            if expected is not None:
                await asyncio.shield(expected)
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

    async def _run(self, begun: asyncio.Future[None], listed: asyncio.Future[None]) -> None:
        try:
            async for events in self.store.changes():
                if not begun.done():
                    begun.set_result(None)
                if self.store.live and not listed.done():
                    listed.set_result(None)
                self._publish(events)
        except PydError as error:
            for expected in (begun, listed):
                if not expected.done():
                    expected.set_exception(error)
                    expected.exception()  # a subscriber that left meanwhile doesn't fetch it
            self._end(error)
        finally:
            for expected in (begun, listed):
                if not expected.done():
                    expected.cancel()

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
