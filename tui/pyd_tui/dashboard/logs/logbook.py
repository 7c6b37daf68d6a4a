"""A log screen's model: the lines of one or several containers, stored, filtered and searched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal

from pyd_core.client.gap import Gap
from pyd_core.errors import PydError
from pyd_core.logs.annotation import Annotation
from pyd_core.logs.filters import FilteredView, Filters
from pyd_core.logs.line import LogLine
from pyd_core.logs.line_index import LineIndex, is_error
from pyd_core.logs.search import Search
from pyd_core.logs.store import MAX_DISK_BYTES, MAX_MEMORY_BYTES, LogItem, LogStore
from pyd_core.tasks import TaskOwner
from pyd_tui.dashboard.logs.window import AHEAD_LINES, AROUND_NS, PAGE_LINES, SECOND, TAIL, Goal, Window

if TYPE_CHECKING:
    from pyd_core.client.provider import Provider
    from pyd_core.logs.pattern import LogPattern
    from pyd_core.logs.stream import Batch, LogStream

ANNOTATION_DEBOUNCE_S = 0.3
"""Seconds without new lines after which an annotation is shown, and the present end counts as reached."""

MAX_START_SKEW_NS = 50_000_000
"""Nanoseconds by which a container's first lines may precede its start: Docker Engine records the start 4 to 22 ms
after the first line."""

Liveness = Literal["following", "unstarted", "ended", "lost"]
"""Whether new lines may come: from a running container; not from one that was never started or has exited, or an engine
that doesn't answer."""


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
        sources: Mapping[str, Provider | None],
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
        self.known_marks: Callable[[], Iterable[Annotation]] = lambda: ()
        """Returns the annotations known so far."""
        self.liveness: Callable[[], Liveness] = lambda: "following"
        self.reads = 0
        """How often it was read; the numbers of lines start again with each."""
        self.goal: Goal | None = None
        """Where the view is to go, once."""
        self.more_below = False
        """Whether reading waits for the cursor to come nearer."""
        self.caught_up = False
        """Whether all lines up to the present end were read."""
        self.seeking = ""
        """What a search in the unloaded part is doing, in words; empty if there is none."""
        self.note = ""
        """The outcome of the last search in the unloaded part, if it found nothing."""
        self._forward = asyncio.Event()
        self._seeking = TaskOwner(self._on_error)
        self.at_start = False
        """Whether the oldest stored line is the log's first."""
        self.full = False
        """Whether there is no room for older lines."""
        self.store = LogStore(**self._room)
        self.shown = FilteredView(self.store)
        self.search: Search | None = None
        self.errors: LineIndex | None = None
        """Lines of the level error or fatal, once a screen asks for them."""

    @property
    def empty_text(self) -> str:
        """Text shown while there are no lines."""
        if self.problem is not None or not self.containers:
            return self.problem.message if self.problem is not None else ""
        if self.shown.filters and len(self.store):
            return "no line matches the filters"
        if self.window.before_ns:
            return f"no lines {self.window.label}"
        if self.window.around_ns:
            return "no lines around that time"
        if self.window.seconds:
            return f"nothing in {self.window.label}"
        return "not started yet" if self.liveness() == "unstarted" else "no output yet"

    @property
    def reading(self) -> bool:
        """Whether more lines may come."""
        return len(self._reading) > 0

    async def read(
        self, window: Window, marks: Iterable[Annotation] | None = None, *, goal: Goal | None = None
    ) -> None:
        """Read another part of the log, with annotations at their times; filters and search stay.

        Args:
            window: The part.
            marks: The annotations; None is those known so far.
            goal: Where the view is to go.
        """
        marks = self.known_marks() if marks is None and not window.before_ns else marks or ()
        await self._reading.aclose()
        self._cancel_flush()
        self.store.close()
        self.store = LogStore(**self._room)
        self.window, self.problem = window, None
        self.at_start = window.head
        self.full = self.more_below = self.caught_up = False
        self.goal, self.note = goal, ""
        self.reads += 1
        self._forward.clear()
        self._marks = sorted((mark for mark in marks if window.holds(mark.time_ns)), key=_sort_time_ns)
        self._apply_filters(self.shown.filters)
        if self._engines:
            self._reading.start(self._read(), name="logs")

    async def aclose(self) -> None:
        """Stop reading, and delete the stored lines."""
        self._cancel_flush()
        await self._seeking.aclose()
        await self._reading.aclose()
        await self._updating.aclose()
        self.store.close()

    def mark(self, mark: Annotation) -> None:
        """Add an annotation, to be placed among the lines."""
        if mark.container_id in self.containers and not self.window.before_ns:
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
            if _time_ns(item) >= time_ns:
                return number
        return None

    def goal_number(self) -> int | None:
        """Return the number of the goal's item; None while it isn't loaded."""
        if (goal := self.goal) is None:
            return None
        if goal.line is None:
            number = self.first_at(goal.time_ns)
            return number if number is not None or not (self.caught_up and len(self.store)) else self.store.end - 1
        for number, item in self.store.scan(self.store.first):
            if item == goal.line:
                return number
        return None

    def map_errors(self) -> LineIndex:
        """Return the index of errors, which is kept up to date from then on."""
        if self.errors is None:
            self.errors = LineIndex(is_error, self.shown)
            self._update()
        return self.errors

    def page_forward(self) -> None:
        """Read newer lines, if reading waits."""
        self._forward.set()

    def can_seek(self, step: int) -> bool:
        """Return whether there is an unloaded part, newer or older than the loaded lines."""
        return self.more_below or bool(self.window.before_ns) if step > 0 else self.can_read_back

    def seek_beyond(self, step: int) -> bool:
        """Search the part of the log that isn't loaded, and go to its match; return whether there is such a part.

        Args:
            step: 1 is the newer part, -1 the older one.
        """
        if self.search is None or not self.can_seek(step):
            return False
        from pyd_tui.dashboard.logs.beyond import seek  # noqa: PLC0415 - only on request

        if not len(self._seeking):
            self._seeking.start(seek(self, self.search.pattern, step), name="search beyond")
        return True

    def reopen(self, window: Window, *, goal: Goal | None = None) -> None:
        """Read another part of the log in the background."""
        if not len(self._seeking):
            self._seeking.start(self.read(window, goal=goal), name="another part of the log")

    def report(self, *, seeking: str = "", note: str = "") -> None:
        """Show the progress of a search in the unloaded part, or its outcome."""
        self.seeking, self.note = seeking, note
        self._changed()

    @property
    def edges_ns(self) -> tuple[int, int]:
        """The times of the oldest and the newest loaded line; 0 without lines."""
        store = self.store
        return _first_time_ns(range(store.first, store.end), store), _first_time_ns(
            range(store.end - 1, store.first - 1, -1), store
        )

    @property
    def can_read_back(self) -> bool:
        """Whether there may be older lines that can be read: logs of tasks can't be read up to a time."""
        return bool(self._engines) and self._tasks is None and bool(len(self.store)) and not self.at_start

    def page_back(self) -> None:
        """Read older lines, if there are any and there is room."""
        if self._paging or self.full or not self.can_read_back:
            return
        if len(self.containers) > 1 and self.window is TAIL:
            # Each of several tails starts at another time, so lines can't be put before them.
            oldest_ns, _ = self.edges_ns
            self.reopen(Window(label="around", around_ns=oldest_ns), goal=Goal(time_ns=oldest_ns))
            return
        self._paging = True
        self._reading.start(self._page_back(), name="older lines")

    async def _read(self) -> None:
        from pyd_core.logs.merge import MAX_WAIT_S, merge  # noqa: PLC0415 - after the first picture

        window = self.window
        if window.before_ns:
            await self._read_before(window.before_ns)
            return
        since, tail = None, PAGE_LINES if window is TAIL else None
        if window.seconds:
            since = self._now() - window.seconds * SECOND
        elif window.around_ns:
            since = window.around_ns - AROUND_NS
        stream: LogStream = merge(self.streams(tail=tail, since=since), max_wait_s=MAX_WAIT_S)
        if window.around_ns:  # there may be no lines, only annotations
            self._schedule_flush()
        ahead = AHEAD_LINES if window.head else PAGE_LINES
        try:
            async for batch in stream.batches():
                self._take(batch)
                if window.is_ahead and self.store.end >= ahead and _time_ns(batch[-1]) > window.around_ns + AROUND_NS:
                    await self._wait_forward()
                    ahead = self.store.end + AHEAD_LINES
                await asyncio.sleep(0)  # an endless log must not delay keys
        finally:
            await stream.aclose()

    async def _wait_forward(self) -> None:
        """Wait until the cursor comes near the newest line; the engine waits too."""
        self._cancel_flush()
        self.more_below = True
        self._changed()
        self._forward.clear()
        await self._forward.wait()
        self.more_below = False
        self._schedule_flush()

    def streams(
        self, *, tail: int | None = None, since: int | None = None, until: int | None = None, live: bool = True
    ) -> list[LogStream]:
        """Return the containers' logs."""
        engines = self._engines.items()
        if self._tasks is not None:
            from pyd_core.client.provider import engine_of  # noqa: PLC0415 - only for swarms
            from pyd_core.logs.task import task_log  # noqa: PLC0415 - only for swarms

            names = self._tasks
            return [
                task_log(engine_of(engine), key, names[key], tail=tail, since=since, follow=live)
                for key, engine in engines
            ]
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
        try:
            before_ns, _ = self.edges_ns
            if not before_ns or self.store.lost:
                self.full = bool(self.store.lost)
                return
            if len(self.containers) == 1:
                lines, self.at_start = await self._lines_before(before_ns)
            else:
                from pyd_tui.dashboard.logs.merged_before import merged_before  # noqa: PLC0415 - only on request

                lines, self.at_start = await merged_before(self, before_ns)
            if not self.store.prepend(lines):
                self.full = True
            elif lines:
                self._apply_filters(self.shown.filters)
        finally:
            self._paging = False

    async def _lines_before(self, before_ns: int) -> tuple[list[LogLine], bool]:
        from pyd_core.logs.read_before import read_before  # noqa: PLC0415 - only on request

        ((key, engine),) = self._engines.items()
        held_lines = len(self.store)
        count = PAGE_LINES if held_lines < 5 * PAGE_LINES else 5 * PAGE_LINES
        return await read_before(engine, key, before_ns=before_ns, held_lines=held_lines, count=count)

    def _take(self, batch: Batch) -> None:
        self.store.add(self._insert_annotations(batch) if self._marks else batch)
        self._schedule_flush()
        self._update()

    def _insert_annotations(self, batch: Batch) -> list[LogItem]:
        """Insert annotations before the first younger line; those older than all lines are dropped."""
        items: list[LogItem] = []
        for item in batch:
            time_ns = _time_ns(item)
            while self._marks and _sort_time_ns(self._marks[0]) <= time_ns:
                mark = self._marks.pop(0)
                if items or len(self.store):
                    items.append(mark)
            items.append(item)
        return items

    def _schedule_flush(self) -> None:
        self._cancel_flush()
        if not self.more_below and (self._marks or not self.caught_up):
            self._flush = asyncio.get_running_loop().call_later(ANNOTATION_DEBOUNCE_S, self._catch_up)

    def _cancel_flush(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None

    def _catch_up(self) -> None:
        marks, self._marks, self._flush = self._marks, [], None
        if self.window is TAIL and not self.caught_up and self.problem is None:
            self.at_start = self.at_start or len(self.store) < PAGE_LINES
        self.caught_up = True
        self.store.add(marks)
        self._update()

    def _apply_filters(self, filters: Filters) -> None:
        shown = FilteredView(self.store, filters)
        self.shown = shown
        if self.search is not None:
            self.search = Search(self.search.pattern, shown)
        if self.errors is not None:
            self.errors = LineIndex(is_error, shown)
        self._update()

    def _update(self) -> None:
        """Process new lines: a few at once, many in steps between which keys are served."""
        if self._advance():
            self._changed()
        elif not len(self._updating):
            self._updating.start(self._update_in_steps(), name="filters and search")

    def _advance(self) -> bool:
        done = self.shown.advance()
        for index in (self.search, self.errors):
            done = (index is None or index.advance()) and done
        return done

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


def _time_ns(item: LogItem) -> int:
    return item.since_ns if isinstance(item, Gap) else item.time_ns


def _first_time_ns(numbers: range, store: LogStore) -> int:
    """Return the time of the first of these items that is a line with a time; 0 without one."""
    for number in numbers:
        if isinstance(item := store[number], LogLine) and item.time_ns:
            return item.time_ns
    return 0
