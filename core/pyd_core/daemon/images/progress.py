"""Progress records for clients, in the format of Docker Engine's stream."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from pyd_core.errors import PydError
from pyd_core.tasks import TaskOwner

REPORT_INTERVAL_S = 0.1
"""Minimum time between two reports on a layer."""


class ProgressEmitter:
    """Queue of progress records from several workers for one client."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(maxsize=1000)
        self._last: dict[str, float] = {}

    async def emit(self, status: str, key: str = "", **fields: Any) -> None:
        """Emit a status; `key` names the layer it is about."""
        await self._queue.put({"status": status, **({"id": key} if key else {}), **fields})

    async def emit_progress(self, status: str, key: str, current: int, total: int) -> None:
        """Emit the progress of a layer, at most ten times a second."""
        if self._is_due(key, current, total):
            await self.emit(status, key, **_progress_fields(current, total))

    def emit_progress_nowait(self, status: str, key: str, current: int, total: int) -> None:
        """Emit progress from a callback that can't wait; it is dropped if the client falls behind."""
        if self._is_due(key, current, total) and not self._queue.full():
            self._queue.put_nowait({"status": status, "id": key, **_progress_fields(current, total)})

    def _is_due(self, key: str, current: int, total: int) -> bool:
        now = time.monotonic()
        if now - self._last.get(key, 0.0) < REPORT_INTERVAL_S and current < total:
            return False
        self._last[key] = now
        return True

    async def records(
        self, work: Callable[[], Awaitable[None]], describe: Callable[[Exception], str]
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Run the work and yield its records; an error becomes the last one."""

        async def run() -> None:
            try:
                await work()
            except (PydError, OSError) as error:
                text = describe(error)
                await self._queue.put({"errorDetail": {"message": text}, "error": text})
            finally:
                await self._queue.put(None)

        async with TaskOwner() as owner:
            owner.start(run())
            while (record := await self._queue.get()) is not None:
                yield record


def _progress_fields(current: int, total: int) -> dict[str, Any]:
    return {"progressDetail": {"current": current, "total": total}, "progress": _bar(current, total)}


def _bar(current: int, total: int) -> str:
    if total <= 0:
        return f"{current / 1e6:.3g}MB"
    filled = min(50, current * 50 // total)
    arrow = "=" * filled + (">" if filled < 50 else "")
    return f"[{arrow:<50}] {current / 1e6:>7.4g}MB/{total / 1e6:.4g}MB"
