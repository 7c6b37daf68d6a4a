"""What is told of the row under a cursor: asked for once the cursor rests on it, never for rows it only passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyd_core.errors import NotFound, PydError
from pyd_core.tasks import TaskOwner
from pyd_tui.dashboard.render.pieces import EMPTY, cell
from pyd_tui.dashboard.resources.base import LoadContext, ResourceView, Row
from pyd_tui.dashboard.widgets.lines import Fixed, LineList

SETTLE = 0.12
"""Seconds the cursor has to rest on a row before the engine is asked about it."""
_MARGIN = 3
"""Columns of a screen that prose leaves free."""


class DetailLoader:
    """Fills a pane with all about one row.

    Args:
        noun: What the row is one of.
        stock: What is asked about it.
        pane: Where it is told.
        tasks: Owns the asking.
        row: Returns the row under the cursor.
    """

    def __init__(
        self,
        noun: ResourceView,
        stock: LoadContext,
        pane: LineList[Any],
        tasks: TaskOwner,
        *,
        row: Callable[[], Row | None],
    ) -> None:
        self._noun = noun
        self._stock = stock
        self._pane = pane
        self._tasks = tasks
        self._row = row
        self._told: str | None = None
        """The key of the row that the pane is about."""
        self._settling = pane.set_interval(SETTLE, self._rested, pause=True)

    def moved(self) -> None:
        """The cursor is elsewhere: it has to rest anew."""
        self._settling.reset()
        self._settling.resume()

    def renew(self) -> None:
        """Asks again, though the row may be the same."""
        self._told = None
        self._settling.resume()

    def fit(self) -> None:
        """Asks again where prose would be wrapped for another width."""
        if self._told is not None and self._room != self._stock.room:
            self.renew()

    @property
    def _room(self) -> int:
        return self._pane.screen.size.width - _MARGIN

    async def _rested(self) -> None:
        self._settling.pause()
        row = self._row()
        if row is None:
            self._pane.show(Fixed())
        elif row.key != self._told:
            self._tasks.start(self.look(row), name=f"about {self._noun.name}")

    async def look(self, row: Row) -> None:
        """Asks about a row, and tells, if it is still the one under the cursor."""
        try:
            self._stock.room = self._room
            lines = await self._noun.about(self._stock, row)
        except NotFound:
            return  # it went meanwhile, and an event will say so
        except PydError as error:
            lines = [EMPTY, cell(f" {error.message}", "bad")]
        if self._pane.is_attached and self._row() is row:
            same, self._told = row.key == self._told, row.key
            (self._pane.replace if same else self._pane.show)(Fixed(lines))
