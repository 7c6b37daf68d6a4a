"""Removing what a view lists: asked once with the exact list, done several at a time, told how it went."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from pyd_core.errors import PydError
from pyd_tui.dashboard.actions.catalogue import AT_ONCE
from pyd_tui.dashboard.render.figures import size
from pyd_tui.dashboard.resources.base import LoadContext, PruneCandidate, ResourceView, Row
from pyd_tui.dashboard.screens.confirm import Confirm

if TYPE_CHECKING:
    from pyd_tui.dashboard.protocols import ActionHost


class OnFinished(Protocol):
    """Called when everything was tried."""

    def __call__(self, *, well: bool) -> None:
        """`well` says whether all of it went."""
        ...


class BulkRemoval:
    """Asks, and removes.

    Args:
        dashboard: The app.
        stock: Whose engine it is done on.
        over: Told whether all of it went.
    """

    def __init__(self, dashboard: ActionHost, stock: LoadContext, over: OnFinished) -> None:
        self._dashboard = dashboard
        self._stock = stock
        self._over = over

    async def prune(self, noun: ResourceView, row: Row | None) -> None:
        """Asks whether to remove what nothing uses, which it lists."""
        if noun.waste is None:
            return
        found = await noun.waste(self._stock, row or Row(key="", name="", cells=(), thing=None))
        if not found:
            self._dashboard.say("nothing is unused here", "good")
            return
        known = sum(one.size or 0 for one in found)
        frees = f" That frees up to {size(known)}." if known else ""
        self.ask(f"Remove what nothing uses, {len(found)} in all?{frees}", found)

    def ask(self, question: str, found: Sequence[PruneCandidate]) -> None:
        """Asks whether to remove exactly these."""
        names = [f"{one.name}  {size(one.size)}" if one.size is not None else one.name for one in found]

        def answered(yes: bool | None) -> None:
            if yes:
                self._dashboard.tasks.start(self._remove(found), name="remove")

        self._dashboard.push_screen(Confirm(question, names), answered)

    async def _remove(self, found: Sequence[PruneCandidate]) -> None:
        engine, gate = self._stock.engine, asyncio.Semaphore(AT_ONCE)

        async def one(waste: PruneCandidate) -> PydError | None:
            async with gate:
                try:
                    await waste.remove(engine)
                except PydError as error:
                    return error
            return None

        errors = await asyncio.gather(*(one(waste) for waste in found))
        failed = [waste for waste, error in zip(found, errors, strict=True) if error is not None]
        self._over(well=not failed)
        if not failed:
            self._dashboard.say(f"removed {found[0].name if len(found) == 1 else len(found)}", "good")
        elif len(found) == 1 and (only := errors[0]) is not None:
            self._dashboard.say(only.message, "bad", only.hint)
        else:
            self._report([(waste.name, error) for waste, error in zip(found, errors, strict=True)], failed)

    def _report(self, outcomes: Sequence[tuple[str, PydError | None]], failed: Sequence[PruneCandidate]) -> None:
        """Tells of each how it went, and tries the failed ones again if that is wanted."""
        from pyd_tui.dashboard.screens.report import ReportScreen  # noqa: PLC0415 - only when something failed

        def answered(again: bool | None) -> None:
            if again:
                self._dashboard.tasks.start(self._remove(failed), name="remove")

        self._dashboard.push_screen(ReportScreen("removed", outcomes), answered)
