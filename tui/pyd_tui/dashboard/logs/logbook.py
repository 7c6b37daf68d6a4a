"""What a log screen shows: the lines of one container or several, held, narrowed and searched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyd_core.client.gap import Gap
from pyd_core.errors import PydError
from pyd_core.logs.annotation import Annotation
from pyd_core.logs.filters import FilteredView, Filters
from pyd_core.logs.line import LogLine
from pyd_core.logs.search import Search
from pyd_core.logs.store import DISK, MEMORY, LogItem, LogStore
from pyd_core.tasks import TaskOwner

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient
    from pyd_core.logs.pattern import LogPattern
    from pyd_core.logs.stream import Batch, LogStream

SECOND = 1_000_000_000
PAGE = 1_000
"""Lines asked for to begin with, and with each page back."""
HEAD = 10_000
"""Lines that reading from the head takes."""
SETTLE = 0.3
"""Seconds that a mark waits for lines older than it."""

AROUND = 120 * SECOND
"""Nanoseconds before and after a moment that are read of a log to show it."""

LEAD = 50_000_000
"""Nanoseconds by which a container's first lines may be older than its start: Docker Engine notes the start when it is
over, 4 to 22 ms after the first line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which part of a log is read: `seconds` back, or the tail, or the head."""

    label: str
    seconds: int = 0
    head: bool = False
    before_ns: int = 0
    """Only lines before this time, nanoseconds since the epoch; 0 is now."""
    around_ns: int = 0
    """Only lines around this time."""

    @property
    def follows(self) -> bool:
        """Whether it has a live end."""
        return not (self.head or self.before_ns or self.around_ns)

    def holds(self, time_ns: int) -> bool:
        """Whether something that happened then belongs into it."""
        if self.around_ns:
            return abs(time_ns - self.around_ns) <= AROUND
        return not self.before_ns


TAIL = Window(label="tail")
WINDOWS = {
    "0": TAIL,
    "1": Window(label="head", head=True),
    "2": Window(label="1m", seconds=60),
    "3": Window(label="5m", seconds=300),
    "4": Window(label="15m", seconds=900),
    "5": Window(label="30m", seconds=1800),
    "6": Window(label="1h", seconds=3600),
}


class Logbook:
    """Reads logs into a store, and keeps what is shown of it and found in it current.

    Args:
        sources: The engines of containers, by the containers' ids; of one without an engine, nothing is read.
        changed: Called whenever there is more to show.
        now: Tells the time, nanoseconds since the epoch.
        memory: Bytes held in memory.
        disk: Bytes of older lines held in temporary files.
        tasks: Names of what `sources` has the ids of, where they are tasks of a swarm.
    """

    def __init__(
        self,
        sources: Mapping[str, EngineClient | None],
        changed: Callable[[], None],
        now: Callable[[], int],
        *,
        memory: int = MEMORY,
        disk: int = DISK,
        tasks: Mapping[str, str] | None = None,
    ) -> None:
        self._engines = {key: engine for key, engine in sources.items() if engine is not None}
        self.containers = tuple(sources)
        self._changed = changed
        self._now = now
        self._tasks = tasks
        self._room = {"memory": memory, "disk": disk}
        self._reading = TaskOwner(self._failed)
        self._looking = TaskOwner(self._failed)
        self._marks: list[Annotation] = []
        self._flush: asyncio.TimerHandle | None = None
        self._paging = False
        self.window = TAIL
        self.problem: PydError | None = None
        self.at_start = False
        """Whether the oldest line held is the log's first."""
        self.full = False
        """Whether there is no room for older lines."""
        self.store = LogStore(**self._room)
        self.shown = FilteredView(self.store)
        self.search: Search | None = None

    @property
    def silence(self) -> str:
        """What to say while there are no lines."""
        if self.problem is not None:
            return self.problem.message
        if not self.containers:
            return ""
        if self.shown.filters and len(self.store):
            return "no line passes the filters"
        if self.window.before_ns:
            return f"nothing {self.window.label} is kept"
        return f"nothing in {self.window.label}" if self.window.seconds or self.window.around_ns else "no output yet"

    @property
    def reading(self) -> bool:
        """Whether more may come."""
        return len(self._reading) > 0

    async def read(self, window: Window, marks: Iterable[Annotation] = ()) -> None:
        """Read another part of the log from now on, with marks at their times; filters and search stay."""
        await self._reading.aclose()
        self._forget_flush()
        self.store.close()
        self.store = LogStore(**self._room)
        self.window, self.problem = window, None
        self.at_start = window.head
        self.full = False
        self._marks = sorted((mark for mark in marks if window.holds(mark.time_ns)), key=_place)
        self._renew(self.shown.filters)
        if self._engines:
            self._reading.start(self._read(), name="logs")

    async def aclose(self) -> None:
        """End everything."""
        self._forget_flush()
        await self._reading.aclose()
        await self._looking.aclose()
        self.store.close()

    def mark(self, mark: Annotation) -> None:
        """Take note of something that happened, for its place among the lines."""
        if mark.container_id in self.containers and self.window.follows:
            self._marks.append(mark)
            self._marks.sort(key=_place)
            self._settle()

    def narrow(self, filters: Filters) -> None:
        """Show what these filters let through; the stream goes on as it is.

        Raises:
            InvalidInput: A filter makes no sense.
        """
        self._renew(filters)

    def find(self, pattern: LogPattern | None) -> None:
        """Look for something in what is shown.

        Raises:
            InvalidInput: It is no regular expression.
        """
        self.search = Search(pattern, self.shown) if pattern is not None and pattern.text else None
        self._look()

    def at(self, time_ns: int) -> int | None:
        """Return the number of the first item held of a time or later; None if there is none."""
        for number, item in self.store.scan(self.store.first):
            when = _since(item) if isinstance(item, Gap) else item.time_ns
            if when >= time_ns:
                return number
        return None

    def page_back(self) -> None:
        """Read older lines, if there are any and there is room."""
        if self._paging or self.at_start or self.full or len(self.containers) != 1 or not len(self.store):
            return
        if self._engines and self._tasks is None:  # tasks' logs have no end to read up to
            self._paging = True
            self._reading.start(self._page_back(), name="older lines")

    async def _read(self) -> None:
        from pyd_core.logs.merge import PATIENCE, merge  # noqa: PLC0415 - after the first picture

        window = self.window
        if window.before_ns:
            await self._read_before(window.before_ns)
            return
        since, until, tail = None, None, None if window.head or window.seconds or window.around_ns else PAGE
        if window.seconds:
            since = self._now() - window.seconds * SECOND
        elif window.around_ns:
            since, until = window.around_ns - AROUND, window.around_ns + AROUND
        sources = self._sources(tail, since, until)
        stream: LogStream = merge(sources, patience=PATIENCE if window.follows else None)
        try:
            async for batch in stream.batches():
                self._take(batch)
                if window.head and len(self.store) >= HEAD:
                    break
                await asyncio.sleep(0)  # a log that always has more must not keep keys waiting
        finally:
            await stream.aclose()
        if window.around_ns:
            self._settle()
            self._changed()

    def _sources(self, tail: int | None, since: int | None, until: int | None) -> list[LogStream]:
        live, engines = self.window.follows, self._engines.items()
        if self._tasks is not None:
            from pyd_core.logs.task import task_log  # noqa: PLC0415 - of a swarm alone

            names = self._tasks
            return [task_log(engine, key, names[key], tail=tail, since=since, follow=live) for key, engine in engines]
        from pyd_core.logs.follow import follow  # noqa: PLC0415 - after the first picture

        return [follow(engine, one, tail=tail, since=since, until=until, follow=live) for one, engine in engines]

    async def _read_before(self, before_ns: int) -> None:
        from pyd_core.logs.read_before import older  # noqa: PLC0415 - after the first picture

        ((only, engine),) = self._engines.items()
        lines, self.at_start = await older(engine, only, before_ns=before_ns, held=PAGE, want=5 * PAGE)
        self._take([*lines])

    async def _page_back(self) -> None:
        from pyd_core.logs.read_before import older  # noqa: PLC0415 - likewise

        ((only, engine),) = self._engines.items()
        try:
            first = next((item for _, item in self.store.scan(self.store.first) if isinstance(item, LogLine)), None)
            if first is None or self.store.lost:
                self.full = bool(self.store.lost)
                return
            lines, self.at_start = await older(engine, only, before_ns=first.time_ns, held=len(self.store), want=PAGE)
            if not self.store.prepend(lines):
                self.full = True
            elif lines:
                self._renew(self.shown.filters)
        finally:
            self._paging = False

    def _take(self, batch: Batch) -> None:
        if not self._marks:
            self.store.add(batch)
        else:
            self.store.add(self._woven(batch))
            self._settle()
        self._look()

    def _woven(self, batch: Batch) -> list[LogItem]:
        """Put marks before the first line that is younger; those older than all lines say nothing about them."""
        woven: list[LogItem] = []
        for item in batch:
            time_ns = _since(item) if isinstance(item, Gap) else item.time_ns
            while self._marks and _place(self._marks[0]) <= time_ns:
                mark = self._marks.pop(0)
                if woven or len(self.store):
                    woven.append(mark)
            woven.append(item)
        return woven

    def _settle(self) -> None:
        self._forget_flush()
        if self._marks:
            self._flush = asyncio.get_running_loop().call_later(SETTLE, self._put_marks)

    def _forget_flush(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None

    def _put_marks(self) -> None:
        marks, self._marks, self._flush = self._marks, [], None
        self.store.add(marks)
        self._look()

    def _renew(self, filters: Filters) -> None:
        shown = FilteredView(self.store, filters)
        self.shown = shown
        if self.search is not None:
            self.search = Search(self.search.pattern, shown)
        self._look()

    def _look(self) -> None:
        """Look at new lines: a few at once, many in steps between which keys are served."""
        if self._advance():
            self._changed()
        elif not len(self._looking):
            self._looking.start(self._look_on(), name="filters and search")

    def _advance(self) -> bool:
        done = self.shown.advance()
        return (self.search is None or self.search.advance()) and done

    async def _look_on(self) -> None:
        done = False
        while not done:
            done = self._advance()
            self._changed()
            await asyncio.sleep(0)

    def _failed(self, error: Exception) -> None:
        known = error if isinstance(error, PydError) else PydError(f"internal error: {type(error).__name__}: {error}")
        self.problem = known
        self._changed()


def _place(mark: Annotation) -> int:
    return mark.time_ns - LEAD if mark.verb == "start" else mark.time_ns


def _since(gap: Gap) -> int:
    return gap.since_ns
