"""The engine itself: version, info, disk use, events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from pyd_core.client.api_client import ApiClient
from pyd_core.client.json_stream import read_records
from pyd_core.model.event import Event
from pyd_core.model.system import DiskUsage, Info, Version

Filters = Mapping[str, list[str]]


class SystemApi:
    """`engine.system`: the engine itself."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def version(self) -> Version:
        """Return the engine's version and its components."""
        return await self._client.get("/version", Version)

    async def info(self) -> Info:
        """Return the engine's configuration and object counts."""
        return await self._client.get("/info", Info)

    async def disk_usage(self) -> DiskUsage:
        """Return the engine's disk usage; slow on large engines."""
        return await self._client.get("/system/df", DiskUsage)

    @asynccontextmanager
    async def events(
        self, *, since: str | None = None, until: str | None = None, filters: Filters | None = None, follow: bool = True
    ) -> AsyncIterator[AsyncIterator[Event]]:
        """Stream events, from `since` on (seconds with up to nine decimals) or from now.

        The stream is live once the block is entered: it has all later events.

        Args:
            since: The start.
            until: The end, at which the engine ends the stream.
            filters: Filters of events.
            follow: Continue with new events. Docker Engine always does, unless `until` is past.
        """
        query = {"since": since, "until": until, "filters": filters, "stream": None if follow else False}
        async with self._client.stream("GET", "/events", query) as stream:
            yield read_records(stream, Event)
