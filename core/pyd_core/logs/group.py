"""Logs of a group of containers as one, which containers that come later join."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable

from pyd_core.client.backoff import Backoff
from pyd_core.client.gap import Gap
from pyd_core.client.provider import Provider
from pyd_core.errors import EngineUnavailable, PydError, StreamInterrupted
from pyd_core.logs.live import LiveMerge
from pyd_core.logs.stream import Batch, LogStream
from pyd_core.model.container import ContainerSummary
from pyd_core.tasks import TaskOwner

OPENING_EVENTS = ["create", "start"]


def follow_group(
    engine: Provider,
    belongs: Callable[[ContainerSummary], bool],
    open_log: Callable[[str, bool], LogStream],
    *,
    max_wait_s: float,
) -> LogStream:
    """Follow the logs of all containers that belong to a group, in order of time, until the caller stops.

    Args:
        engine: The provider; all of its containers are looked at.
        belongs: Whether a container is in the group.
        open_log: Opens the log of a container by its id; the second argument is whether it joined later.
        max_wait_s: Seconds that a line waits for older ones.

    Raises:
        PydError: From the iteration: the containers can't be listed, or the connection was lost.
    """
    return LogStream(_follow(engine, belongs, open_log, max_wait_s))


async def _follow(
    engine: Provider,
    belongs: Callable[[ContainerSummary], bool],
    open_log: Callable[[str, bool], LogStream],
    max_wait_s: float,
) -> AsyncGenerator[Batch, None]:
    group = _Group(engine, belongs, open_log, max_wait_s)
    await group.look(later=False)
    async with group.merged, TaskOwner(on_error=group.merged.fail) as tasks:
        tasks.start(group.join(), name="new containers")
        async for batch in group.merged.batches():
            yield batch


class _Group:
    """The containers of a group, and their merged logs."""

    def __init__(
        self,
        engine: Provider,
        belongs: Callable[[ContainerSummary], bool],
        open_log: Callable[[str, bool], LogStream],
        max_wait_s: float,
    ) -> None:
        self.merged = LiveMerge([], max_wait_s, open_ended=True)
        self._engine = engine
        self._belongs = belongs
        self._open_log = open_log
        self._known: set[str] = set()

    async def look(self, *, later: bool) -> None:
        """Add the logs of containers that aren't known yet."""
        for summary in await self._engine.containers.list(all=True):
            if summary.id not in self._known and self._belongs(summary):
                self._known.add(summary.id)
                self.merged.add(LogStream(_tolerant(self._open_log(summary.id, later), summary.name)))

    async def join(self) -> None:
        """Add the logs of containers as they come, through lost connections."""
        backoff = Backoff()
        filters = {"type": ["container"], "event": OPENING_EVENTS}
        while True:
            try:
                async with self._engine.system.events(filters=filters) as events:
                    await self.look(later=True)
                    backoff.reset()
                    async for event in events:
                        if event.actor.id not in self._known:
                            await self.look(later=True)
            except (EngineUnavailable, StreamInterrupted):
                await backoff.wait()


async def _tolerant(stream: LogStream, name: str) -> AsyncGenerator[Batch, None]:
    """Yield a log, and its error as a gap: one node that doesn't answer must not end the logs of all others."""
    try:
        async for batch in stream.batches():
            yield batch
    except PydError as error:
        now_ns = time.time_ns()
        yield [Gap(reason=error.message, lost=None, since_ns=now_ns, until_ns=now_ns, name=name)]
    finally:
        await stream.aclose()
