"""Streams of log lines, read line by line or in batches."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from pyd_core.client.gap import Gap
from pyd_core.logs.line import LogLine

Batch = list[LogLine | Gap]


class LogStream:
    """Lines of a container, or of several merged.

    Iterate over it for single lines, or over `batches()` for speed: an engine sends many lines at once, and an `await`
    for each costs more than everything else. Use one of the two, once. Requests are only sent by the iteration.
    """

    def __init__(self, batches: AsyncGenerator[Batch, None]) -> None:
        self._batches = batches

    def batches(self) -> AsyncIterator[Batch]:
        """Return the lines in batches as they arrive; no batch is empty."""
        return self._batches

    async def __aiter__(self) -> AsyncIterator[LogLine | Gap]:
        async for batch in self._batches:
            for item in batch:
                yield item

    async def aclose(self) -> None:
        """End its requests; needed if it wasn't read to its end."""
        await self._batches.aclose()
