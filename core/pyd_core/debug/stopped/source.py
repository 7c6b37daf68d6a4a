"""The source of a session's changes: a stage of this machine, or a stand-in container."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import IO, Protocol

from pyd_core.debug.stopped.changes import ChangedPath


class LayerSource(Protocol):
    """A session's changes, while its stage or stand-in exists."""

    async def find(self) -> list[ChangedPath]:
        """Return what changed, parents before what lies below them."""
        ...

    async def conflicts(self, changes: Sequence[ChangedPath]) -> list[str]:
        """Return the paths that the target itself has changed since the session began."""
        ...

    async def write(self, changes: Sequence[ChangedPath], out: IO[bytes], *, whiteouts: bool) -> None:
        """Write changed paths as a tar, with whiteouts deletions too, as image layers have them."""
        ...

    def base(self) -> AbstractAsyncContextManager[str]:
        """Give the image that the changes are on top of, as long as the block lasts."""
        ...
