"""Log lines as they arrive: one by one, or in the batches in which they came."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from pyd_core.client.gap import Gap
from pyd_core.logs.line import LogLine

Batch = list[LogLine | Gap]


class LogStream:
    """Lines of one container, or of several merged.

    Iterate over it for single lines, or over `batches()` where speed counts: an engine sends many lines at once, and an
    `await` for each costs more than all the rest. Use one of the two, once. Nothing is asked of an engine before.
    """

    def __init__(self, batches: AsyncGenerator[Batch, None]) -> None:
        self._batches = batches

    def batches(self) -> AsyncIterator[Batch]:
        """The lines in the batches in which they came; no batch is empty."""
        return self._batches

    async def __aiter__(self) -> AsyncIterator[LogLine | Gap]:
        async for batch in self._batches:
            for item in batch:
                yield item

    async def aclose(self) -> None:
        """End the requests behind it; needed when it wasn't read to its end."""
        await self._batches.aclose()
