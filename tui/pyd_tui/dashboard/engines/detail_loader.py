"""The details of the selected row, debounced so that rows the cursor merely passes are never requested."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from pyd_core.errors import NotFound, PydError
from pyd_core.tasks import TaskOwner
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, cell
from pyd_tui.dashboard.resources.base import LoadContext, ResourceView, Row
from pyd_tui.dashboard.widgets.lines import Fixed, LineList

DEBOUNCE_S = 0.12
"""The time that the cursor has to rest on a row before the engine is asked about it."""
_MARGIN_COLUMNS = 3
"""The margin of wrapped text."""


class DetailLoader:
    """Fills a pane with the details of one row.

    Args:
        resource: The resource view of the row.
        context: The data that its loader uses.
        pane: The pane to fill.
        tasks: The owner of the requests.
        row: Returns the row under the cursor.
    """

    def __init__(
        self,
        resource: ResourceView,
        context: LoadContext,
        pane: LineList[Any],
        tasks: TaskOwner,
        *,
        row: Callable[[], Row | None],
    ) -> None:
        self._resource = resource
        self._context = context
        self._pane = pane
        self._tasks = tasks
        self._row = row
        self.on_end: Callable[[], object] = lambda: None
        """Called when the details of a row no longer change, once for each row."""
        self._ended: set[str] = set()
        """The keys of the rows for which it was called."""
        self._loading: asyncio.Task[None] | None = None
        self._shown_key: str | None = None
        """The key of the row that the pane shows."""
        self._asked_key: str | None = None
        """The key of the row that was loaded last, which the pane may not show yet."""
        self._stale = False
        """Whether the row must be loaded again though the pane shows it."""
        self._debounce = pane.set_interval(DEBOUNCE_S, self._on_rest, pause=True)

    def moved(self) -> None:
        """Restart the debounce timer, as the cursor has moved."""
        self._debounce.reset()
        self._debounce.resume()

    def refresh(self) -> None:
        """Load the details again, though the row may be the same."""
        self._stale = True
        self._debounce.resume()

    def fit(self) -> None:
        """Load the details again where the width has changed, since text is wrapped."""
        if self._shown_key is not None and self._room != self._context.room:
            self.refresh()

    @property
    def _room(self) -> int:
        return self._pane.screen.size.width - _MARGIN_COLUMNS

    async def _on_rest(self) -> None:
        self._debounce.pause()
        row = self._row()
        if row is None:
            self._pane.show(Fixed())
        elif row.key != self._asked_key or self._stale:
            self._asked_key, self._stale = row.key, False
            if self._loading is not None:
                self._loading.cancel()
            self._loading = self._tasks.start(self.load(row), name=f"about {self._resource.name}")

    async def load(self, row: Row) -> None:
        """Load the details of a row, and show them while it is the one under the cursor."""
        try:
            self._context.room = self._room
            frames = self._resource.follow(self._context, row)
            if frames is not None:
                await self._follow(row, frames)
                return
            lines = await self._resource.about(self._context, row)
        except NotFound:
            return  # it was removed meanwhile, and an event will follow
        except PydError as error:
            lines = [EMPTY, cell(f" {error.message}", "bad")]
        self._show(row, lines)

    async def _follow(self, row: Row, frames: AsyncGenerator[list[Cell], None]) -> None:
        """Show details as they change, until they no longer do, the cursor leaves the row or the screen is closed."""
        async with aclosing(frames):
            async for lines in frames:
                if not self._show(row, lines):
                    self._stale = True  # so that a return to the row follows it again
                    return
        if row.key not in self._ended:
            self._ended.add(row.key)
            self.on_end()

    def _show(self, row: Row, lines: list[Cell]) -> bool:
        """Show details; return whether their row is still the one under the cursor."""
        if not self._pane.is_attached or self._row() is not row:
            return False
        same, self._shown_key = row.key == self._shown_key, row.key
        (self._pane.replace if same else self._pane.show)(Fixed(lines))
        return True
