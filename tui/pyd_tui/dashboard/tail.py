"""The end of one container's log, followed."""

from __future__ import annotations

from collections.abc import Callable

from pyd_core.engine.client import Engine
from pyd_core.engine.gap import Gap
from pyd_core.errors import PydError
from pyd_core.logs.line import LogLine
from pyd_core.tasks import TaskOwner
from pyd_tui.dashboard.ring import Ring

BUDGET = 8 * 2**20
"""Bytes of log lines held for one view; older ones are dropped and counted."""

OVERHEAD = 120
"""Bytes that a line costs beside its text."""

TAIL = 1000
"""Lines asked for to begin with."""

LONGEST = 64 * 2**10
"""Bytes of one line that are held; what is beyond is counted in the line."""

LogItem = LogLine | Gap


class Tail:
    """Follows one container's log into a ring; choosing another one ends the former.

    Args:
        changed: Called whenever there is more to show.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._tasks = TaskOwner(self._failed)
        self.lines: Ring[LogItem] = Ring(BUDGET)
        self.container: str | None = None
        self.problem: PydError | None = None

    @property
    def silence(self) -> str:
        """What to say while there are no lines."""
        if self.problem is not None:
            return self.problem.message
        return "no output yet" if self.container else ""

    async def follow(self, engine: Engine | None, container: str | None) -> None:
        """Follows this container from now on; None follows nothing."""
        if container == self.container and (container is None or len(self._tasks)):
            return
        await self._tasks.aclose()
        self.container = container
        self.problem = None
        self.lines = Ring(BUDGET)
        if engine is not None and container is not None:
            self._tasks.start(self._run(engine, container), name=f"log of {container[:12]}")

    async def aclose(self) -> None:
        """Ends following."""
        await self._tasks.aclose()

    async def _run(self, engine: Engine, container: str) -> None:
        from pyd_core.logs.follow import follow  # noqa: PLC0415 - after the first picture

        async for batch in follow(engine, container, tail=TAIL, follow=True, longest=LONGEST).batches():
            for item in batch:
                self.lines.add(item, len(item.data) + OVERHEAD if isinstance(item, LogLine) else OVERHEAD)
            self._changed()

    def _failed(self, error: Exception) -> None:
        known = error if isinstance(error, PydError) else PydError(f"internal error: {type(error).__name__}: {error}")
        self.problem = known
        self._changed()
