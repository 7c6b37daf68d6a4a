"""The loader of a view's rows, which runs once at a time however often it is called."""

from __future__ import annotations

from typing import Protocol

from pyd_core.errors import PydError
from pyd_core.tasks import TaskOwner
from pyd_tui.dashboard.resources.base import LoadContext, ResourceView, Row


class RowSink(Protocol):
    """Receives the rows."""

    @property
    def is_attached(self) -> bool:
        """Whether the screen is still open."""
        ...

    def loaded(self) -> None:
        """Show the new rows."""

    def not_loaded(self, error: PydError) -> None:
        """Show why the rows couldn't be loaded."""

    def measuring(self) -> None:
        """Show that the engine is measuring disk usage, which may take seconds."""


class RowLoader:
    """Loads and keeps the rows of a resource view.

    Args:
        resource: The resource view.
        context: The data that its loader uses.
        sink: Receives the rows.
        tasks: The owner of the task.
    """

    def __init__(self, resource: ResourceView, context: LoadContext, sink: RowSink, tasks: TaskOwner) -> None:
        self._resource = resource
        self._context = context
        self._sink = sink
        self._tasks = tasks
        self._running = self._again = self._measure = False
        self.rows: dict[str, Row] = {}
        """The rows loaded last, by key, in order."""

    def load(self, *, measure: bool = False) -> None:
        """Load the rows; a call while they are loading makes them load once more.

        Args:
            measure: Whether to ask for sizes too.
        """
        self._measure |= measure
        if self._running:
            self._again = True
            return
        self._running = True
        self._tasks.start(self._run(), name=f"load {self._resource.name}")

    async def _run(self) -> None:
        try:
            while True:
                measure, self._measure, self._again = self._measure, False, False
                await self._fetch(measure=measure)
                if not self._again or not self._sink.is_attached:
                    return
        finally:
            self._running = False

    async def _fetch(self, *, measure: bool) -> None:
        try:
            if measure and self.rows:
                self._sink.measuring()
            await self._take()
            if measure:  # the rows first: this may take seconds
                self._sink.measuring()
                await self._context.measure()
                await self._take()
        except PydError as error:
            if self._sink.is_attached:
                self._sink.not_loaded(error)

    async def _take(self) -> None:
        rows = await self._resource.load(self._context)
        if self._sink.is_attached:
            self.rows = {row.key: row for row in rows}
            self._sink.loaded()
