"""The list of containers: a view of the fleets in a table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from pyd_core.watch.container_info import ContainerInfo
from pyd_core.watch.delta import Delta
from pyd_tui.dashboard.engines.connection import EngineConnection
from pyd_tui.dashboard.engines.target import RowTarget
from pyd_tui.dashboard.render.containers import (
    ACTIVE_STATES,
    COLUMNS,
    CPU_TITLES,
    TREND_COLUMNS,
    TREND_STEP_NS,
    RowUsage,
    content_widths,
    heading,
    row,
)
from pyd_tui.dashboard.render.engines import engine_label
from pyd_tui.dashboard.render.figures import SECOND, Clock
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, columns, width
from pyd_tui.dashboard.resources.container_filters import View
from pyd_tui.dashboard.widgets.table import Table

RECENT = (TREND_COLUMNS + 1) * TREND_STEP_NS // SECOND
"""Samples that the curve in the list is drawn from."""
INDENT = 2
"""Terminal columns by which names stand in below the heading of their project."""
AGE = 6
"""Terminal columns kept for an engine's age to grow."""


class ContainerTable(Table[RowTarget]):
    """Keeps the rows in the view's order and the cells current; asks for nothing itself.

    Args:
        links: The engines whose containers it lists.
        clock: Tells the time.
    """

    def __init__(self, links: Sequence[EngineConnection], clock: Clock) -> None:
        super().__init__(COLUMNS, self._row_cells, id="containers")
        self.links = links
        self._clock = clock
        self.view = View()
        self.pending: dict[RowTarget, str] = {}
        """What is being done to containers, in words (`stopping`)."""
        self._lost: list[bool] = []
        self._members: dict[RowTarget, list[RowTarget]] = {}
        """The containers below each heading, folded or not, while they are grouped by project."""
        self._folded: set[RowTarget] = set()

    def look(self, view: View | None = None) -> None:
        """Take the fleets as they are now, through this view from now on."""
        self.view = view or self.view
        keys = self._order()
        self._lost = self._are_lost()
        self.set_sorted_by(self.view.sort)
        self.set_title("cpu", CPU_TITLES[self.view.scale])
        every = [key.link.containers[key.id] for key in keys if not key.is_heading]
        widths = content_widths(every, self._clock, reasons=self.view.broken_only)
        if self._members:
            widths |= {"project": 0, "state": 15}
            widths["name"] = max(widths["name"] + INDENT, *(columns(key.project) + 6 for key in self._members))
        if self.view.merged:
            widths["engine"] = max((self._engine_width(link) for link in self.links), default=0)
        marked = set(self.marked)
        self.set_rows(keys, widths)
        if self._folded and (kept := marked & set(self._containers())) != self.marked:
            self.marked = kept  # what is folded away keeps its marks
            self.sync()
        if self.view.broken_only:
            for link in self.links:
                link.judge.want(entry for key in keys if key.link is link and (entry := key.entry))

    def _order(self) -> list[RowTarget]:
        """What is shown, in order: the engines' rows are in order by themselves already."""
        view = self.view
        each = [
            [
                RowTarget(link, one)
                for one in view.order(link.containers, link.usage, link.is_broken, link.label if view.merged else "")
            ]
            for link in self.links
        ]
        together = [*chain.from_iterable(each)]
        if len(each) > 1 and view.sort != "engine":
            together.sort(key=lambda key: view.rank(key.link.containers[key.id], key.link.usage.get(key.id)))
        self._members = {}
        return self._grouped(together) if view.sort == "project" else together

    def _grouped(self, keys: list[RowTarget]) -> list[RowTarget]:
        """Put a heading above the containers of each project of each engine, and leave out what is folded."""
        alone: list[RowTarget] = []
        for key in keys:
            project = key.link.containers[key.id].project
            (self._members.setdefault(RowTarget(key.link, "", project), []) if project else alone).append(key)
        rows: list[RowTarget] = []
        for head, members in self._members.items():
            rows += [head] if head in self._folded else [head, *members]
        return rows + alone

    def fold(self) -> None:
        """Hide the containers below the heading under the cursor, or show them again."""
        if (key := self.key) is not None and key.is_heading:
            self._folded ^= {key}
            self.look()

    @property
    def under_heading(self) -> list[RowTarget]:
        """The containers of the project whose heading is under the cursor."""
        return [*self._members.get(self.key, ())] if self.key is not None else []

    @property
    def shown_count(self) -> int:
        """How many containers the view shows, those below folded headings too."""
        return len(self._containers()) if self._members else self.count

    def apply(self, delta: Delta) -> None:
        """Take what changed; that may be no more than how a connection does."""
        if delta.changed or delta.removed or self._lost != self._are_lost():
            self.look()
        else:
            self.sync()

    def _are_lost(self) -> list[bool]:
        return [link.connection.state == "lost" for link in self.links]

    def is_stale(self, key: RowTarget) -> bool:
        """Whether what is shown of it may have changed meanwhile."""
        return key.link.connection.state == "lost"

    def measured(self) -> None:
        """Take new figures; only an order that goes by them can change."""
        if self.view.sort in {"cpu", "memory"}:
            self.look()
        else:
            self.sync()

    def set_pending(self, key: RowTarget, word: str) -> None:
        """Say what is being done to a container; an empty word says that it is over."""
        if word:
            self.pending[key] = word
        else:
            self.pending.pop(key, None)
        self.sync()

    def worth_measuring(self) -> set[RowTarget]:
        """Return the living containers on screen."""
        return {key for key in self.visible_keys if (entry := key.entry) and entry.state in ACTIVE_STATES}

    def targets(self) -> list[RowTarget]:
        """Return what an action goes to: the marked containers in order, else what is under the cursor.

        A heading stands for the containers of its project.
        """
        if self.marked:
            return [key for key in self._containers() if key in self.marked]
        return self._members.get(self.key, [self.key]) if self.key else []

    def _containers(self) -> list[RowTarget]:
        """All containers of the view in order, those below folded headings too."""
        every: list[RowTarget] = []
        for key in self.keys:
            if not key.is_heading:
                every.append(key)
            elif key in self._folded:
                every += self._members.get(key, ())
        return every

    def is_marked(self, key: RowTarget) -> bool:
        """Whether it is marked; a heading if all below it is."""
        return self.marked.issuperset(self._members[key]) if key in self._members else super().is_marked(key)

    def toggle_mark(self) -> None:
        """Mark the row under the cursor, or no longer; all that is below a heading."""
        if self.key is None or self.key not in self._members:
            super().toggle_mark()
            return
        below = set(self._members[self.key])
        self.marked = self.marked - below if self.marked >= below else self.marked | below
        self._last_mark = self.key
        self.sync()
        self.move(1)

    def mark_range(self) -> None:
        """Mark all containers from the one marked last to the one under the cursor."""
        super().mark_range()
        heads = {key for key in self.marked if key.is_heading}
        self.marked -= heads
        self.marked |= {one for key in heads & self._folded for one in self._members.get(key, ())}
        self.sync()

    def mark_all(self) -> None:
        """Mark all containers of the view; if they are, take all marks away."""
        every = set(self._containers())
        self.marked = set() if self.marked >= every else every
        self.sync()

    def go_to(self, key: RowTarget) -> None:
        """Put the cursor on a container, and unfold what hides it."""
        for head, members in self._members.items():
            if head in self._folded and key in members:
                self._folded.remove(head)
                self.look()
                break
        super().go_to(key)

    def _engine_width(self, link: EngineConnection) -> int:
        lost = link.connection.state == "lost"
        return width(engine_label(link.label, link.connection, self._clock)) + AGE * lost

    def _row_cells(self, key: RowTarget) -> tuple[Cell, ...]:
        entry, link = key.entry, key.link
        engine = engine_label(link.label, link.connection, self._clock) if self.view.merged else EMPTY
        if key.is_heading:
            return self._heading_cells(key, engine)
        if entry is None:
            return ((),) * len(COLUMNS)
        use, doing, answer = self._use(link, entry), self.pending.get(key, ""), link.judge.answer(entry)
        cells = row(entry, use, self._clock, doing, answer, engine=engine)
        return (cells[0], (Span(" " * INDENT), *cells[1]), *cells[2:]) if self._members and entry.project else cells

    def _heading_cells(self, key: RowTarget, engine: Cell) -> tuple[Cell, ...]:
        link = key.link
        entries = [entry for one in self._members.get(key, ()) if (entry := one.entry) is not None]
        usage = [
            use for entry in entries if entry.state in ACTIVE_STATES and (use := link.usage.get(entry.id)) is not None
        ]
        broken = sum(link.is_broken(entry) for entry in entries)
        cells = heading(key.project, entries, usage, folded=key in self._folded, broken=broken)
        return (*cells[:2], engine, *cells[3:])

    def _use(self, link: EngineConnection, entry: ContainerInfo) -> RowUsage | None:
        usage = link.usage.get(entry.id)
        if usage is None:
            return None
        most = 1.0
        if self.view.scale == "most":
            most = entry.cpu_limit or link.processors or 1.0
        series = link.series.get(entry.id)
        recent = series.newest(RECENT) if series is not None and self.shows("trend") else ()
        return RowUsage(usage=usage, samples=recent, cores=most)
