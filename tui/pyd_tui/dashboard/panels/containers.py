"""The list of containers: a view of the fleet in a table."""

from __future__ import annotations

from pyd_core.fleet.delta import Delta
from pyd_core.fleet.entry import Entry
from pyd_tui.dashboard.link import Link
from pyd_tui.dashboard.render.containers import ALIVE, COLUMNS, CPU_TITLES, TREND, TREND_STEP, Use, natural, row
from pyd_tui.dashboard.render.figures import SECOND, Clock
from pyd_tui.dashboard.render.pieces import Cell
from pyd_tui.dashboard.view import View
from pyd_tui.dashboard.widgets.table import Table

RECENT = (TREND + 1) * TREND_STEP // SECOND
"""Samples that the curve in the list is drawn from."""


class Containers(Table):
    """Keeps the rows in the view's order and the cells current; asks for nothing itself."""

    def __init__(self, link: Link, clock: Clock) -> None:
        super().__init__(COLUMNS, self._row_cells, id="containers")
        self.link = link
        self._clock = clock
        self.view = View()
        self.pending: dict[str, str] = {}
        """What is being done to containers, in words (`stopping`), by id."""

    def look(self, view: View | None = None) -> None:
        """Takes the fleet as it is now, through this view from now on."""
        self.view = view or self.view
        entries = self.link.containers
        keys = self.view.order(entries, self.link.usage, self.link.is_broken)
        self.set_sorted_by(self.view.sort)
        self.set_title("cpu", CPU_TITLES[self.view.scale])
        shown = [entries[key] for key in keys]
        self.set_rows(keys, natural(shown, self._clock, reasons=self.view.broken_only))
        if self.view.broken_only:
            self.link.judge.want(shown)
        self.set_stale(stale=self.link.connection.state == "lost")

    def apply(self, delta: Delta) -> None:
        """Takes what changed."""
        if delta.changed or delta.removed:
            self.look()
        else:
            self.set_stale(stale=self.link.connection.state == "lost")

    def measured(self) -> None:
        """Takes new figures; only an order that goes by them can change."""
        if self.view.sort in {"cpu", "memory"}:
            self.look()
        else:
            self.sync()

    def set_pending(self, key: str, word: str) -> None:
        """Says what is being done to a container; an empty word says that it is over."""
        if word:
            self.pending[key] = word
        else:
            self.pending.pop(key, None)
        self.sync()

    def worth_measuring(self) -> set[str]:
        """Returns the ids of the living containers on screen."""
        entries = self.link.containers
        return {key for key in self.visible_keys if (entry := entries.get(key)) and entry.state in ALIVE}

    def targets(self) -> list[str]:
        """Returns what an action goes to: the marked containers in order, else the one under the cursor."""
        if self.marked:
            return [key for key in self.keys if key in self.marked]
        return [self.key] if self.key else []

    def _row_cells(self, key: str) -> tuple[Cell, ...]:
        entry = self.link.containers.get(key)
        if entry is None:
            return ((),) * len(COLUMNS)
        answer = self.link.judge.answer(entry)
        return row(entry, self._use(entry), self._clock, self.pending.get(key, ""), answer)

    def _use(self, entry: Entry) -> Use | None:
        usage = self.link.usage.get(entry.id)
        if usage is None:
            return None
        most = 1.0
        if self.view.scale == "most":
            most = entry.cpu_limit or self.link.processors or 1.0
        series = self.link.series.get(entry.id)
        recent = series.newest(RECENT) if series is not None and self.shows("trend") else ()
        return Use(usage=usage, samples=recent, most=most)
