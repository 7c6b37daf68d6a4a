"""The removal of the rows of a view, and of unused objects, after confirming the exact list."""

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
    """Called once all removals have succeeded or failed."""

    def __call__(self, *, succeeded: bool) -> None:
        """Take the result; `succeeded` is whether all were removed."""
        ...


PRUNE_HINTS = {
    "images": "unused images with a tag stay; x removes one",
    "volumes": "unused volumes with a name stay; x removes one",
}
"""What prune leaves, by kind."""


def kind_of(resource: ResourceView, row: Row | None) -> str:
    """Return what prune removes for a row: `networks`, `images`."""
    if resource.name != "system":
        return resource.name
    return row.key if row is not None and row.key != "engine" else "objects"


class BulkRemoval:
    """Confirms and runs removals.

    Args:
        dashboard: The app.
        context: The data of the engine.
        on_finished: Called once all are done.
    """

    def __init__(self, dashboard: ActionHost, context: LoadContext, on_finished: OnFinished) -> None:
        self._dashboard = dashboard
        self._context = context
        self._on_finished = on_finished

    async def prune(self, resource: ResourceView, row: Row | None) -> None:
        """Ask whether to remove unused objects, and list them."""
        if resource.waste is None:
            return
        candidates = await resource.waste(self._context, row or Row(key="", name="", cells=(), thing=None))
        if not candidates:
            kind = kind_of(resource, row)
            self._dashboard.say(f"no unused {kind} to prune", "good", PRUNE_HINTS.get(kind, ""))
            return
        freed = sum(candidate.size or 0 for candidate in candidates)
        frees = f" That frees up to {compact_size(freed)}." if freed else ""
        kind = kind_of(resource, row)
        if len(candidates) == 1:
            what = f"1 unused {kind.removesuffix('s')} ({candidates[0].name})"
        else:
            what = f"{len(candidates):,} unused {kind}"
        self.ask(f"Prune {what}?{frees}", candidates)

    def ask(
        self, question: str, candidates: Sequence[PruneCandidate], *, verb: str = "remove", done: str = "removed"
    ) -> None:
        """Ask whether to remove exactly these objects, or to do to them what `verb` says."""
        names = [
            f"{candidate.name}  {compact_size(candidate.size)}" if candidate.size is not None else candidate.name
            for candidate in candidates
        ]
        bulk = BulkAction(
            host=self._dashboard,
            verb=verb,
            done=done,
            items=self._items,
            on_finished=lambda failed: self._on_finished(succeeded=not failed),
        )
        bulk.ask(question, names, candidates)

    def _items(self, candidates: Sequence[PruneCandidate]) -> list[BulkItem[PruneCandidate]]:
        engine = self._context.provider
        return [BulkItem(candidate, candidate.name, partial(candidate.remove, engine)) for candidate in candidates]
