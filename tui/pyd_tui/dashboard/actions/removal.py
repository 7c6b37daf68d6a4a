"""Removing what a view lists: asked once with the exact list, done several at a time, told how it went."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol

from pyd_core.humanize import compact_size
from pyd_tui.dashboard.actions.bulk import BulkAction, BulkItem
from pyd_tui.dashboard.resources.base import LoadContext, PruneCandidate, ResourceView, Row

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
        frees = f" That frees up to {compact_size(known)}." if known else ""
        self.ask(f"Remove what nothing uses, {len(found)} in all?{frees}", found)

    def ask(self, question: str, found: Sequence[PruneCandidate]) -> None:
        """Asks whether to remove exactly these."""
        names = [f"{one.name}  {compact_size(one.size)}" if one.size is not None else one.name for one in found]
        bulk = BulkAction(
            host=self._dashboard,
            verb="remove",
            done="removed",
            items=self._items,
            on_finished=lambda failed: self._over(well=not failed),
        )
        bulk.ask(question, names, found)

    def _items(self, candidates: Sequence[PruneCandidate]) -> list[BulkItem[PruneCandidate]]:
        engine = self._stock.engine
        return [BulkItem(one, one.name, partial(one.remove, engine)) for one in candidates]
