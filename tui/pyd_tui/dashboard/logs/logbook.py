"""A log screen's model: the lines of one or several containers, stored, filtered and searched."""

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
from pyd_core.logs.store import MAX_DISK_BYTES, MAX_MEMORY_BYTES, LogItem, LogStore
from pyd_core.tasks import TaskOwner

if TYPE_CHECKING:
    from pyd_core.client.engine_client import EngineClient
    from pyd_core.logs.pattern import LogPattern
    from pyd_core.logs.stream import Batch, LogStream

SECOND = 1_000_000_000
PAGE_LINES = 1_000
"""Lines requested at first, and for each page back."""
HEAD_LINES = 10_000
"""Lines read from the head."""
ANNOTATION_DEBOUNCE_S = 0.3
"""Seconds that an annotation waits for older lines."""

AROUND_NS = 120 * SECOND
"""Nanoseconds read before and after a moment."""

MAX_START_SKEW_NS = 50_000_000
"""Nanoseconds by which a container's first lines may precede its start: Docker Engine records the start 4 to 22 ms
after the first line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A part of a log: the last `seconds`, the tail, or the head."""

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
        """Return whether an annotation of this time belongs to the window."""
        if self.around_ns:
            return abs(time_ns - self.around_ns) <= AROUND_NS
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
    """Reads logs into a store, and keeps their filtered view and their search up to date.

    Args:
        sources: Engines by container id; a container without an engine isn't read.
        changed: Called whenever there is more to show.
        now: Returns the time, nanoseconds since the epoch.
        memory: Bytes held in memory.
        disk: Bytes of older lines held in temporary files.
        tasks: Names of the ids in `sources` if they are tasks of a swarm.
    """

    def __init__(
        self,
        sources: Mapping[str, EngineClient | None],
        changed: Callable[[], None],
        now: Callable[[], int],
        *,
        memory: int = MAX_MEMORY_BYTES,
        disk: int = MAX_DISK_BYTES,
        tasks: Mapping[str, str] | None = None,
    ) -> None:
        self._engines = {key: engine for key, engine in sources.items() if engine is not None}
        self.containers = tuple(sources)
        self._changed = changed
        self._now = now
        self._tasks = tasks
        self._room = {"memory": memory, "disk": disk}
        self._reading = TaskOwner(self._on_error)
        self._updating = TaskOwner(self._on_error)
        self._marks: list[Annotation] = []
        self._flush: asyncio.TimerHandle | None = None
        self._paging = False
        self.window = TAIL
        self.problem: PydError | None = None
        self.at_start = False
        """Whether the oldest stored line is the log's first."""
        self.full = False
        """Whether there is no room for older lines."""
        self.store = LogStore(**self._room)
        self.shown = FilteredView(self.store)
        self.search: Search | None = None

    @property
    def empty_text(self) -> str:
        """Text shown while there are no lines."""
        if self.problem is not None:
            return self.problem.message
        if not self.containers:
            return ""
        if self.shown.filters and len(self.store):
            return "no line matches the filters"
        if self.window.before_ns:
            return f"no lines {self.window.label}"
        return f"nothing in {self.window.label}" if self.window.seconds or self.window.around_ns else "no output yet"

    @property
    def reading(self) -> bool:
        """Whether more lines may come."""
        return len(self._reading) > 0

    async def read(self, window: Window, marks: Iterable[Annotation] = ()) -> None:
        """Read another part of the log, with annotations at their times; filters and search stay."""
        await self._reading.aclose()
        self._cancel_flush()
        self.store.close()
        self.store = LogStore(**self._room)
        self.window, self.problem = window, None
        self.at_start = window.head
        self.full = False
        self._marks = sorted((mark for mark in marks if window.holds(mark.time_ns)), key=_sort_time_ns)
        self._apply_filters(self.shown.filters)
        if self._engines:
            self._reading.start(self._read(), name="logs")

    async def aclose(self) -> None:
        """Stop reading, and delete the stored lines."""
        self._cancel_flush()
        await self._reading.aclose()
        await self._updating.aclose()
        self.store.close()

    def mark(self, mark: Annotation) -> None:
        """Add an annotation, to be placed among the lines."""
        if mark.container_id in self.containers and self.window.follows:
            self._marks.append(mark)
            self._marks.sort(key=_sort_time_ns)
            self._schedule_flush()

    def narrow(self, filters: Filters) -> None:
        """Show the lines that pass these filters; reading continues.

        Raises:
            InvalidInput: A filter is invalid.
        """
        self._apply_filters(filters)

    def find(self, pattern: LogPattern | None) -> None:
        """Search the shown lines.

        Raises:
            InvalidInput: The pattern is no regular expression.
        """
        self.search = Search(pattern, self.shown) if pattern is not None and pattern.text else None
        self._update()

    def first_at(self, time_ns: int) -> int | None:
        """Return the number of the first stored item of a time or later; None if there is none."""
        for number, item in self.store.scan(self.store.first):
            when = _since_ns(item) if isinstance(item, Gap) else item.time_ns
            if when >= time_ns:
                return number
        return None

    def page_back(self) -> None:
        """Read older lines, if there are any and there is room."""
        if self._paging or self.at_start or self.full or len(self.containers) != 1 or not len(self.store):
            return
        if self._engines and self._tasks is None:  # logs of tasks can't be read up to a time
            self._paging = True
            self._reading.start(self._page_back(), name="older lines")

    async def _read(self) -> None:
        from pyd_core.logs.merge import MAX_WAIT_S, merge  # noqa: PLC0415 - after the first picture

        window = self.window
        if window.before_ns:
            await self._read_before(window.before_ns)
            return
        since, until, tail = None, None, None if window.head or window.seconds or window.around_ns else PAGE_LINES
        if window.seconds:
            since = self._now() - window.seconds * SECOND
        elif window.around_ns:
            since, until = window.around_ns - AROUND_NS, window.around_ns + AROUND_NS
        sources = self._sources(tail, since, until)
        stream: LogStream = merge(sources, max_wait_s=MAX_WAIT_S if window.follows else None)
        try:
            async for batch in stream.batches():
                self._take(batch)
                if window.head and len(self.store) >= HEAD_LINES:
                    break
                await asyncio.sleep(0)  # an endless log must not delay keys
        finally:
            await stream.aclose()
        if window.around_ns:
            self._schedule_flush()
            self._changed()

    def _sources(self, tail: int | None, since: int | None, until: int | None) -> list[LogStream]:
        live, engines = self.window.follows, self._engines.items()
        if self._tasks is not None:
            from pyd_core.logs.task import task_log  # noqa: PLC0415 - only for swarms

            names = self._tasks
            return [task_log(engine, key, names[key], tail=tail, since=since, follow=live) for key, engine in engines]
        from pyd_core.logs.follow import follow  # noqa: PLC0415 - after the first picture

        return [follow(engine, key, tail=tail, since=since, until=until, follow=live) for key, engine in engines]

    async def _read_before(self, before_ns: int) -> None:
        from pyd_core.logs.read_before import read_before  # noqa: PLC0415 - after the first picture

        ((key, engine),) = self._engines.items()
        lines, self.at_start = await read_before(
            engine, key, before_ns=before_ns, held_lines=PAGE_LINES, count=5 * PAGE_LINES
        )
        self._take([*lines])

    async def _page_back(self) -> None:
        from pyd_core.logs.read_before import read_before  # noqa: PLC0415 - only on request

        ((key, engine),) = self._engines.items()
        try:
            first = next((item for _, item in self.store.scan(self.store.first) if isinstance(item, LogLine)), None)
            if first is None or self.store.lost:
                self.full = bool(self.store.lost)
                return
            lines, self.at_start = await read_before(
                engine, key, before_ns=first.time_ns, held_lines=len(self.store), count=PAGE_LINES
            )
            if not self.store.prepend(lines):
                self.full = True
            elif lines:
                self._apply_filters(self.shown.filters)
        finally:
            self._paging = False

    def _take(self, batch: Batch) -> None:
        if not self._marks:
            self.store.add(batch)
        else:
            self.store.add(self._insert_annotations(batch))
            self._schedule_flush()
        self._update()

    def _insert_annotations(self, batch: Batch) -> list[LogItem]:
        """Insert annotations before the first younger line; those older than all lines are dropped."""
        items: list[LogItem] = []
        for item in batch:
            time_ns = _since_ns(item) if isinstance(item, Gap) else item.time_ns
            while self._marks and _sort_time_ns(self._marks[0]) <= time_ns:
                mark = self._marks.pop(0)
                if items or len(self.store):
                    items.append(mark)
            items.append(item)
        return items

    def _schedule_flush(self) -> None:
        self._cancel_flush()
        if self._marks:
            self._flush = asyncio.get_running_loop().call_later(ANNOTATION_DEBOUNCE_S, self._add_annotations)

    def _cancel_flush(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None

    def _add_annotations(self) -> None:
        marks, self._marks, self._flush = self._marks, [], None
        self.store.add(marks)
        self._update()

    def _apply_filters(self, filters: Filters) -> None:
        shown = FilteredView(self.store, filters)
        self.shown = shown
        if self.search is not None:
            self.search = Search(self.search.pattern, shown)
        self._update()

    def _update(self) -> None:
        """Process new lines: a few at once, many in steps between which keys are served."""
        if self._advance():
            self._changed()
        elif not len(self._updating):
            self._updating.start(self._update_in_steps(), name="filters and search")

    def _advance(self) -> bool:
        done = self.shown.advance()
        return (self.search is None or self.search.advance()) and done

    async def _update_in_steps(self) -> None:
        done = False
        while not done:
            done = self._advance()
            self._changed()
            await asyncio.sleep(0)

    def _on_error(self, error: Exception) -> None:
        problem = error if isinstance(error, PydError) else PydError(f"internal error: {type(error).__name__}: {error}")
        self.problem = problem
        self._changed()


def _sort_time_ns(mark: Annotation) -> int:
    return mark.time_ns - MAX_START_SKEW_NS if mark.verb == "start" else mark.time_ns


def _since_ns(gap: Gap) -> int:
    return gap.since_ns
