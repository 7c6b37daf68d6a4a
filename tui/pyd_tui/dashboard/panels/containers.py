"""The container table: a filtered, sorted view of the engines' containers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from pyd_core.watch.container_info import ContainerInfo
from pyd_core.watch.delta import Delta
from pyd_core.watch.stats import Usage
from pyd_tui.dashboard.engines.connection import EngineConnection
from pyd_tui.dashboard.engines.target import RowTarget
from pyd_tui.dashboard.render.container_widths import content_widths
from pyd_tui.dashboard.render.containers import (
    ACTIVE_STATES,
    COLUMNS,
    CPU_TITLES,
    SINCE_TITLES,
    TREND_COLUMNS,
    TREND_STEP_NS,
    RowUsage,
    heading,
    reason,
    row,
)
from pyd_tui.dashboard.render.engines import engine_label
from pyd_tui.dashboard.render.figures import SECOND, Clock
from pyd_tui.dashboard.render.narrowing import ordered_by_part
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, columns, width
from pyd_tui.dashboard.resources.container_filters import View
from pyd_tui.dashboard.widgets.table import Table

TREND_SAMPLES = (TREND_COLUMNS + 1) * TREND_STEP_NS // SECOND
"""Samples from which the list's curve is drawn."""
INDENT = 2
"""Terminal columns by which names below a project heading are indented."""
UNMEASURED: Cell = (Span("…", "dim"),)
"""Stands for a figure that an order needs and doesn't have yet."""
_SORTED = {column.key: index for index, column in enumerate(COLUMNS) if column.key in {"cpu", "memory"}}
AGE_COLUMNS = 6
"""Terminal columns reserved for an engine's growing age."""


class ContainerTable(Table[RowTarget]):
    """A table that keeps its rows in the view's order and its cells current; it makes no requests.

    Args:
        links: The engines whose containers it lists.
        clock: The clock.
    """

    def __init__(self, links: Sequence[EngineConnection], clock: Clock) -> None:
        super().__init__(COLUMNS, self._row_cells, id="containers")
        self.links = links
        self._clock = clock
        self.view = View()
        self.pending: dict[RowTarget, str] = {}
        """Actions in progress on containers, in words (`stopping`)."""
        self._lost: list[bool] = []
        self._members: dict[RowTarget, list[RowTarget]] = {}
        """The containers below each heading, folded or not, while grouped by project."""
        self._folded: set[RowTarget] = set()

    def update_rows(self, view: View | None = None) -> None:
        """Update the rows from the containers, through another view if one is given."""
        self.view = view or self.view
        keys = self._order()
        self._lost = self._are_lost()
        self.set_sorted_by(self.view.sort, reverse=self.view.reverse)
        self.set_title("cpu", CPU_TITLES[self.view.scale])
        containers = [key.link.containers[key.id] for key in keys if not key.is_heading]
        self.set_title("since", SINCE_TITLES[all(entry.state in ACTIVE_STATES for entry in containers)])
        widths = content_widths(containers, self._clock, reasons=self.view.broken_only)
        if self._members:
            widths |= {"project": 0, "state": 15}
            widths["name"] = max(widths["name"] + INDENT, *(columns(key.project) + 6 for key in self._members))
        if self.view.broken_only:
            answers = [(entry, key.link.verdicts.answer(entry)) for key in keys if (entry := key.entry) is not None]
            widths["reason"] = max((width(reason(*answer)) for answer in answers), default=0)
        if self.view.merged:
            widths["engine"] = max((self._engine_width(link) for link in self.links), default=0)
        marked = set(self.marked)
        self.set_rows(keys, widths)
        if self._folded and (kept := marked & set(self._containers())) != self.marked:
            self.marked = kept  # folded rows keep their marks
            self.sync()
        if self.view.broken_only:
            for link in self.links:
                link.verdicts.request(entry for key in keys if key.link is link and (entry := key.entry))

    def _order(self) -> list[RowTarget]:
        """Return the rows in order; each engine's rows are already in order."""
        view = self.view
        rows_by_link = [
            [
                RowTarget(link, container_id)
                for container_id in view.order(
                    link.containers, link.usage, link.is_broken, link.label if view.merged else ""
                )
            ]
            for link in self.links
        ]
        rows = [*chain.from_iterable(rows_by_link)]
        if len(rows_by_link) > 1 and view.sort != "engine":
            rows.sort(
                key=lambda key: view.rank(key.link.containers[key.id], key.link.usage.get(key.id)), reverse=view.reverse
            )
        self._members = {}
        return self._group_by_project(rows) if view.sort == "project" else rows

    def _group_by_project(self, keys: list[RowTarget]) -> list[RowTarget]:
        """Insert a heading above the containers of each project of each engine, and leave out folded rows."""
        ungrouped: list[RowTarget] = []
        for key in keys:
            project = key.link.containers[key.id].project
            (self._members.setdefault(RowTarget(key.link, "", project), []) if project else ungrouped).append(key)
        rows: list[RowTarget] = []
        for heading_key, members in self._members.items():
            rows += [heading_key] if heading_key in self._folded else [heading_key, *members]
        return rows + ungrouped

    def fold(self) -> None:
        """Hide the containers below the heading under the cursor, or show them again."""
        if (key := self.key) is not None and key.is_heading:
            self._folded ^= {key}
            self.update_rows()

    @property
    def under_heading(self) -> list[RowTarget]:
        """The containers of the project whose heading is under the cursor."""
        return [*self._members.get(self.key, ())] if self.key is not None else []

    @property
    def shown_count(self) -> int:
        """Number of containers in the view, including those below folded headings."""
        return len(self._containers()) if self._members else self.count

    @property
    def measured_part(self) -> Cell:
        """The share of running containers with the figures that the order needs; empty if all have them."""
        if not self.view.ranks_usage:
            return EMPTY
        running = [(link, entry) for link in self.links for entry in link.containers.values() if entry.has_processes]
        measured = sum(self._is_ranked(link.usage.get(entry.id)) for link, entry in running)
        return ordered_by_part(measured, len(running)) if measured < len(running) else EMPTY

    def _is_ranked(self, usage: Usage | None) -> bool:
        value = None if usage is None else usage.cpu_percent if self.view.sort == "cpu" else usage.memory_bytes
        return value is not None

    def apply(self, delta: Delta) -> None:
        """Apply a change, which may concern only a connection's state."""
        if delta.changed or delta.removed or self._lost != self._are_lost():
            self.update_rows()
        else:
            self.sync()

    def _are_lost(self) -> list[bool]:
        return [link.connection.state == "lost" for link in self.links]

    def is_stale(self, key: RowTarget) -> bool:
        """Return whether the row's data may be out of date."""
        return key.link.connection.state == "lost"

    def on_measured(self) -> None:
        """Take new measurements; only an order that depends on them can change."""
        if self.view.ranks_usage and self._order() != self.keys:
            self.update_rows()
        else:
            self.sync()

    def set_pending(self, key: RowTarget, text: str) -> None:
        """Show the action in progress on a container; an empty text ends it."""
        if text:
            self.pending[key] = text
        else:
            self.pending.pop(key, None)
        self.sync()

    def worth_measuring(self) -> set[RowTarget]:
        """Return the containers on screen that have processes."""
        return {key for key in self.visible_keys if (entry := key.entry) and entry.state in ACTIVE_STATES}

    def targets(self) -> list[RowTarget]:
        """Return the targets of an action: the marked containers in order, else the row under the cursor.

        A heading stands for the containers of its project.
        """
        if self.marked:
            return [key for key in self._containers() if key in self.marked]
        return self._members.get(self.key, [self.key]) if self.key else []

    def _containers(self) -> list[RowTarget]:
        """Return all containers of the view in order, including those below folded headings."""
        result: list[RowTarget] = []
        for key in self.keys:
            if not key.is_heading:
                result.append(key)
            elif key in self._folded:
                result += self._members.get(key, ())
        return result

    def is_marked(self, key: RowTarget) -> bool:
        """Return whether a row is marked; a heading is if all rows below it are."""
        return self.marked.issuperset(self._members[key]) if key in self._members else super().is_marked(key)

    def toggle_mark(self) -> None:
        """Toggle the mark of the row under the cursor, or of all rows below a heading."""
        if self.key is None or self.key not in self._members:
            super().toggle_mark()
            return
        members = set(self._members[self.key])
        self.marked = self.marked - members if self.marked >= members else self.marked | members
        self._last_mark = self.key
        self.sync()
        self.move(1)

    def mark_range(self) -> None:
        """Mark all containers between the last marked one and the cursor."""
        super().mark_range()
        headings = {key for key in self.marked if key.is_heading}
        self.marked -= headings
        self.marked |= {target for key in headings & self._folded for target in self._members.get(key, ())}
        self.sync()

    def mark_all(self) -> None:
        """Mark all containers of the view; if they already are, remove all marks."""
        containers = set(self._containers())
        self.marked = set() if self.marked >= containers else containers
        self.sync()

    def go_to(self, key: RowTarget) -> None:
        """Move the cursor to a container, unfolding its project if needed."""
        for heading_key, members in self._members.items():
            if heading_key in self._folded and key in members:
                self._folded.remove(heading_key)
                self.update_rows()
                break
        super().go_to(key)

    def _engine_width(self, link: EngineConnection) -> int:
        lost = link.connection.state == "lost"
        return width(engine_label(link.label, link.connection, self._clock)) + AGE_COLUMNS * lost

    def _row_cells(self, key: RowTarget) -> tuple[Cell, ...]:
        container, link = key.entry, key.link
        engine = engine_label(link.label, link.connection, self._clock) if self.view.merged else EMPTY
        if key.is_heading:
            return self._heading_cells(key, engine)
        if container is None:
            return ((),) * len(COLUMNS)
        usage, pending, answer = (
            self._row_usage(link, container),
            self.pending.get(key, ""),
            link.verdicts.answer(container),
        )
        cells = row(container, usage, self._clock, pending, answer, engine=engine)
        if self.view.ranks_usage and container.has_processes and not self._is_ranked(link.usage.get(container.id)):
            cells = (*cells[: _SORTED[self.view.sort]], UNMEASURED, *cells[_SORTED[self.view.sort] + 1 :])
        return (cells[0], (Span(" " * INDENT), *cells[1]), *cells[2:]) if self._members and container.project else cells

    def _heading_cells(self, key: RowTarget, engine: Cell) -> tuple[Cell, ...]:
        link = key.link
        containers = [container for target in self._members.get(key, ()) if (container := target.entry) is not None]
        usage = [
            use
            for container in containers
            if container.state in ACTIVE_STATES and (use := link.usage.get(container.id)) is not None
        ]
        broken = sum(link.is_broken(container) for container in containers)
        cells = heading(key.project, containers, usage, folded=key in self._folded, broken=broken)
        return (*cells[:2], engine, *cells[3:])

    def _row_usage(self, link: EngineConnection, container: ContainerInfo) -> RowUsage | None:
        usage = link.usage.get(container.id)
        if usage is None:
            return None
        cores = 1.0
        if self.view.scale == "most":
            cores = container.cpu_limit or link.processors or 1.0
        series = link.series.get(container.id)
        recent = series.newest(TREND_SAMPLES) if series is not None and self.shows("trend") else ()
        return RowUsage(usage=usage, samples=recent, cores=cores)
