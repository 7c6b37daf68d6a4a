"""The list of containers: a view of the fleets in a table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from pyd_core.fleet.delta import Delta
from pyd_core.fleet.entry import Entry
from pyd_tui.dashboard.link import Link
from pyd_tui.dashboard.render.containers import ALIVE, COLUMNS, CPU_TITLES, TREND, TREND_STEP, Use, natural, row
from pyd_tui.dashboard.render.engines import whose
from pyd_tui.dashboard.render.figures import SECOND, Clock
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, width
from pyd_tui.dashboard.target import Target
from pyd_tui.dashboard.view import View
from pyd_tui.dashboard.widgets.table import Table

RECENT = (TREND + 1) * TREND_STEP // SECOND
"""Samples that the curve in the list is drawn from."""
AGE = 6
"""Terminal columns kept for an engine's age to grow."""


class Containers(Table[Target]):
    """Keeps the rows in the view's order and the cells current; asks for nothing itself.

    Args:
        links: The engines whose containers it lists.
        clock: Tells the time.
    """

    def __init__(self, links: Sequence[Link], clock: Clock) -> None:
        super().__init__(COLUMNS, self._row_cells, id="containers")
        self.links = links
        self._clock = clock
        self.view = View()
        self.pending: dict[Target, str] = {}
        """What is being done to containers, in words (`stopping`)."""
        self._lost: list[bool] = []

    def look(self, view: View | None = None) -> None:
        """Takes the fleets as they are now, through this view from now on."""
        self.view = view or self.view
        keys = self._order()
        self._lost = self._are_lost()
        self.set_sorted_by(self.view.sort)
        self.set_title("cpu", CPU_TITLES[self.view.scale])
        shown = [key.link.containers[key.id] for key in keys]
        widths = natural(shown, self._clock, reasons=self.view.broken_only)
        if self.view.merged:
            widths["engine"] = max((self._engine_width(link) for link in self.links), default=0)
        self.set_rows(keys, widths)
        if self.view.broken_only:
            for link in self.links:
                link.judge.want(entry for key, entry in zip(keys, shown, strict=True) if key.link is link)

    def _order(self) -> list[Target]:
        """What is shown, in order: the engines' rows are in order by themselves already."""
        view = self.view
        each = [
            [
                Target(link, one)
                for one in view.order(link.containers, link.usage, link.is_broken, link.label if view.merged else "")
            ]
            for link in self.links
        ]
        if len(each) == 1:
            return each[0]
        together = [*chain.from_iterable(each)]
        if view.sort != "engine":
            together.sort(key=lambda key: view.rank(key.link.containers[key.id], key.link.usage.get(key.id)))
        return together

    def apply(self, delta: Delta) -> None:
        """Takes what changed; that may be no more than how a connection does."""
        if delta.changed or delta.removed or self._lost != self._are_lost():
            self.look()
        else:
            self.sync()

    def _are_lost(self) -> list[bool]:
        return [link.connection.state == "lost" for link in self.links]

    def is_stale(self, key: Target) -> bool:
        """Whether what is shown of it may have changed meanwhile."""
        return key.link.connection.state == "lost"

    def measured(self) -> None:
        """Takes new figures; only an order that goes by them can change."""
        if self.view.sort in {"cpu", "memory"}:
            self.look()
        else:
            self.sync()

    def set_pending(self, key: Target, word: str) -> None:
        """Says what is being done to a container; an empty word says that it is over."""
        if word:
            self.pending[key] = word
        else:
            self.pending.pop(key, None)
        self.sync()

    def worth_measuring(self) -> set[Target]:
        """Returns the living containers on screen."""
        return {key for key in self.visible_keys if (entry := key.entry) and entry.state in ALIVE}

    def targets(self) -> list[Target]:
        """Returns what an action goes to: the marked containers in order, else the one under the cursor."""
        if self.marked:
            return [key for key in self.keys if key in self.marked]
        return [self.key] if self.key else []

    def _engine_width(self, link: Link) -> int:
        lost = link.connection.state == "lost"
        return width(whose(link.label, link.connection, self._clock)) + AGE * lost

    def _row_cells(self, key: Target) -> tuple[Cell, ...]:
        entry, link = key.entry, key.link
        if entry is None:
            return ((),) * len(COLUMNS)
        engine = whose(link.label, link.connection, self._clock) if self.view.merged else EMPTY
        use, doing, answer = self._use(link, entry), self.pending.get(key, ""), link.judge.answer(entry)
        return row(entry, use, self._clock, doing, answer, engine=engine)

    def _use(self, link: Link, entry: Entry) -> Use | None:
        usage = link.usage.get(entry.id)
        if usage is None:
            return None
        most = 1.0
        if self.view.scale == "most":
            most = entry.cpu_limit or link.processors or 1.0
        series = link.series.get(entry.id)
        recent = series.newest(RECENT) if series is not None and self.shows("trend") else ()
        return Use(usage=usage, samples=recent, most=most)
