"""Progress of a list of pods, for those who show its first pages before its last one has arrived."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from pyd_core.errors import PydError


class PodListing:
    """A list of pods that arrives page by page."""

    def __init__(self) -> None:
        self._keys: list[str] = []
        self._grown = asyncio.Event()
        self.complete = False
        """Whether its last page has arrived, or it failed."""
        self._error: PydError | None = None

    def add(self, keys: list[str]) -> None:
        """Add the pods of a page."""
        self._keys += keys
        self._wake()

    def finish(self, error: PydError | None = None) -> None:
        """End the list: after its last page, or with an error."""
        self.complete, self._error = True, error
        self._wake()

    async def pages(self) -> AsyncIterator[list[str]]:
        """Yield the keys of the pods as they arrive, from the first one on.

        Raises:
            PydError: The list failed.
        """
        index = 0
        while True:
            keys, grown = self._keys[index:], self._grown
            index += len(keys)
            if keys:
                yield keys
            elif self._error is not None:
                raise self._error
            elif self.complete:
                return
            else:
                await grown.wait()

    def _wake(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()
