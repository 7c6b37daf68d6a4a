"""Syncs of new layers in the background, so that a build doesn't wait for the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from pyd_core.daemon.images.layers import LayerStore
from pyd_core.tasks import TaskOwner


class LayerSync:
    """Writes layers to the disk in the background and records that they are there.

    Args:
        layers: The layers.
        tasks: The owner of the task that syncs.
    """

    def __init__(self, layers: LayerStore, tasks: TaskOwner) -> None:
        self._layers = layers
        self._tasks = tasks
        self._waiting: set[str] = set()
        self._is_running = False

    def request(self, diff_ids: Iterable[str]) -> bool:
        """Sync those of the layers that aren't on the disk yet, with everything that was written before this call.

        Returns:
            Whether there are any; otherwise nothing is synced.
        """
        unsynced = {diff_id for diff_id in diff_ids if self._layers.is_unsynced(diff_id)}
        self._waiting |= unsynced
        if self._waiting and not self._is_running:
            self._is_running = True
            self._tasks.start(self._run(), name="layer sync")
        return bool(unsynced)

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, set()
                await asyncio.to_thread(self._layers.sync)
                # A later request is about files written during this sync: their layers stay marked.
                self._layers.mark_synced(batch - self._waiting)
        finally:
            self._is_running = False
