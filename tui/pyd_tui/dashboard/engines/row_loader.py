"""Loading the rows of a view: once at a time, however often it is wished."""

from __future__ import annotations

from typing import Protocol

from pyd_core.errors import PydError
from pyd_core.tasks import TaskOwner
from pyd_tui.dashboard.resources.base import LoadContext, ResourceView, Row


class RowSink(Protocol):
    """Where the rows go."""

    @property
    def is_attached(self) -> bool:
        """Whether anybody is there to look at them."""
        ...

    def loaded(self) -> None:
        """The rows are others."""

    def not_loaded(self, error: PydError) -> None:
        """They couldn't be loaded."""

    def measuring(self) -> None:
        """The engine is finding out what takes how much room, which may take seconds."""


class RowLoader:
    """The rows of a noun, and their loading.

    Args:
        noun: Whose rows.
        stock: What its loader draws on.
        shelf: Told how it goes.
        tasks: Owns the task.
    """

    def __init__(self, noun: ResourceView, stock: LoadContext, shelf: RowSink, tasks: TaskOwner) -> None:
        self._noun = noun
        self._stock = stock
        self._shelf = shelf
        self._tasks = tasks
        self._running = self._again = self._measure = False
        self.rows: dict[str, Row] = {}
        """What was loaded last, by key, in order."""

    def load(self, *, measure: bool = False) -> None:
        """Loads; what happens, or is wished, meanwhile makes it load once more.

        Args:
            measure: Ask for sizes too.
        """
        self._measure |= measure
        if self._running:
            self._again = True
            return
        self._running = True
        self._tasks.start(self._run(), name=f"load {self._noun.name}")

    async def _run(self) -> None:
        try:
            while True:
                measure, self._measure, self._again = self._measure, False, False
                await self._fetch(measure=measure)
                if not self._again or not self._shelf.is_attached:
                    return
        finally:
            self._running = False

    async def _fetch(self, *, measure: bool) -> None:
        try:
            if measure and self.rows:
                self._shelf.measuring()
            await self._take()
            if measure:  # the rows first: this may take seconds
                self._shelf.measuring()
                await self._stock.measure()
                await self._take()
        except PydError as error:
            if self._shelf.is_attached:
                self._shelf.not_loaded(error)

    async def _take(self) -> None:
        rows = await self._noun.load(self._stock)
        if self._shelf.is_attached:
            self.rows = {row.key: row for row in rows}
            self._shelf.loaded()
