"""The engine itself: version, info, disk use, events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from pyd_core.client.api_client import ApiClient
from pyd_core.client.json_stream import records
from pyd_core.model.event import Event
from pyd_core.model.system import DiskUsage, Info, Version

Filters = Mapping[str, list[str]]


class SystemApi:
    """`engine.system`: what concerns the engine as a whole."""

    def __init__(self, session: ApiClient) -> None:
        self._session = session

    async def version(self) -> Version:
        """Return what the engine is made of."""
        return await self._session.get("/version", Version)

    async def info(self) -> Info:
        """Return how the engine is set up and what it holds."""
        return await self._session.get("/info", Info)

    async def disk_usage(self) -> DiskUsage:
        """Return what takes disk space; slow on big engines."""
        return await self._session.get("/system/df", DiskUsage)

    @asynccontextmanager
    async def events(
        self, *, since: str | None = None, until: str | None = None, filters: Filters | None = None, follow: bool = True
    ) -> AsyncIterator[AsyncIterator[Event]]:
        """Streams what happens, from `since` on (seconds with up to nine decimals) or from now.

        The stream is live once the block is entered: what happens after that is in it.

        Args:
            since: The beginning.
            until: The end; an engine that has come to it ends the stream.
            filters: Which events.
            follow: Go on with what happens from now on. Docker Engine always does, unless `until` is past.
        """
        query = {"since": since, "until": until, "filters": filters, "stream": None if follow else False}
        async with self._session.stream("GET", "/events", query) as stream:
            yield records(stream, Event)
