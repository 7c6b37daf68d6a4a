"""A session's changes on a stage of this machine: in the upper directory of its overlay."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import IO

from pyd_core.client.api_client import ApiClient
from pyd_core.client.containers import ContainersApi
from pyd_core.client.images import ImagesApi
from pyd_core.client.options import CommitOptions
from pyd_core.debug.stopped.apply import find_conflicts, find_conflicts_by_engine
from pyd_core.debug.stopped.archive import write_archive
from pyd_core.debug.stopped.changes import ChangedPath, find_changes
from pyd_core.debug.stopped.stage import Holder
from pyd_core.model.container import Container


class StagedChanges:
    """The `Source` of a stage's changes.

    Args:
        session: The engine.
        container: The stage's target.
        holder: The holder of the stage, still running.
    """

    def __init__(self, session: ApiClient, container: Container, holder: Holder) -> None:
        self._session = session
        self._container = container
        self._holder = holder
        own = container.graph_driver.data.get("UpperDir", "")
        self._own = own if os.path.isdir(own) else ""

    async def find(self) -> list[ChangedPath]:
        """See `Source`."""
        return find_changes(self._holder.upper, self._holder.before, created=frozenset(self._holder.built.created))

    async def conflicts(self, changes: Sequence[ChangedPath]) -> list[str]:
        """See `Source`."""
        if self._own:
            return find_conflicts(changes, self._own, self._holder.began)
        containers = ContainersApi(self._session)
        return await find_conflicts_by_engine(containers, self._container.id, changes, self._holder.before)

    async def write(self, changes: Sequence[ChangedPath], out: IO[bytes], *, whiteouts: bool) -> None:
        """See `Source`."""
        write_archive(changes, self._holder.upper, out, whiteouts=whiteouts)

    @asynccontextmanager
    async def base(self) -> AsyncIterator[str]:
        """See `Source`; a container's files as they are become an image for so long."""
        container = self._container
        if container.id == container.image:
            yield container.id
            return
        image = await ContainersApi(self._session).commit(container.id, CommitOptions(pause=False))
        try:
            yield image
        finally:
            await ImagesApi(self._session).remove(image)
