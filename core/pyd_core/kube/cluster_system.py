"""The cluster itself: version and events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import msgspec

from pyd_core.errors import PydError, Refused, StreamInterrupted
from pyd_core.kube.changes import event_of, events_between
from pyd_core.kube.cluster_api import ClusterApi, object_path
from pyd_core.kube.failures import ListExpired
from pyd_core.kube.model.event import ClusterEvent
from pyd_core.kube.pod_feed import PodFeed
from pyd_core.model.base import decode
from pyd_core.model.event import Event
from pyd_core.model.system import KUBERNETES, Info, Platform, Version
from pyd_core.tasks import TaskOwner

Filters = Mapping[str, list[str]]


class _GitVersion(msgspec.Struct, rename="camel"):
    git_version: str = ""
    platform: str = ""


class ClusterSystem:
    """Version, facts and events of a cluster.

    Args:
        feed: The pods.
    """

    def __init__(self, feed: PodFeed) -> None:
        self._feed = feed
        self._api: ClusterApi = feed.store.api

    async def version(self) -> Version:
        """Return the API server's version."""
        server = await self._api.get("/version", _GitVersion)
        system, _, machine = server.platform.partition("/")
        return Version(
            version=server.git_version.removeprefix("v"),
            os=system,
            arch=machine,
            components=[],
            platform=Platform(name=KUBERNETES),
        )

    async def info(self) -> Info:
        """Return what a cluster has of an engine's facts: the number of processors is unknown."""
        version = await self.version()
        return Info(name=self._api.access.context, server_version=version.version)

    @asynccontextmanager
    async def events(
        self, *, since: str | None = None, until: str | None = None, filters: Filters | None = None, follow: bool = True
    ) -> AsyncIterator[AsyncIterator[Event]]:
        """Stream the changes of containers and the cluster's own events, from `since` on or from now.

        The stream is live once the block is entered, and the pods are listed.
        """
        filters = filters or {}
        since_ns = None if since is None else _nanoseconds(since)
        if until is not None or not follow:
            until_ns = None if until is None else _nanoseconds(until)
            yield self._past(since_ns, until_ns, filters)
            return
        kinds = set(filters.get("type", []))
        early = self._feed.store.restricted
        async with self._feed.subscribe(early=early) as changes, TaskOwner(on_error=_ignore) as tasks:
            queue: asyncio.Queue[Event | PydError] = asyncio.Queue(10_000)
            tasks.start(_pump(self._since(since_ns, changes), queue))
            if not kinds or kinds - {"container"}:
                tasks.start(_pump(self._cluster_events(since_ns), queue, optional=True))

            async def read() -> AsyncIterator[Event]:
                while True:
                    item = await queue.get()
                    if isinstance(item, PydError):
                        raise item
                    if _matches(item, filters):
                        yield item

            yield read()

    async def _since(self, since_ns: int | None, changes: AsyncIterator[Event]) -> AsyncIterator[Event]:
        """Yield what the listed pods show to have happened since a time, and then their changes."""
        store = self._feed.store
        if since_ns is not None and store.listing is not None:
            async for keys in store.listing.pages():
                for pod in store.listed(keys):
                    for event in events_between(None, pod, qualified=store.qualified):
                        if event.time_nano >= since_ns:
                            yield event
        async for event in changes:
            yield event

    async def _past(self, since_ns: int | None, until_ns: int | None, filters: Filters) -> AsyncIterator[Event]:
        """Yield what the cluster still knows of a period, in order of time."""
        store = self._feed.store
        await store.settle()
        named = [member.pod for name in filters.get("container", []) if (member := store.known(name)) is not None]
        events: list[Event] = []
        for pod in named or store.pods():
            events += events_between(None, pod, qualified=store.qualified)
        try:
            if set(filters.get("type", [])) != {"container"}:
                listed, _ = await self._api.list(self._path, ClusterEvent)
                events += map(event_of, listed)
        except Refused:
            pass
        for event in sorted(events, key=lambda event: event.time_nano):
            late = until_ns is not None and event.time_nano >= until_ns
            early = since_ns is not None and event.time_nano < since_ns
            if not late and not early and _matches(event, filters):
                yield event

    @property
    def _path(self) -> str:
        return object_path("events", namespace=self._feed.store.namespace)

    async def _cluster_events(self, since_ns: int | None) -> AsyncIterator[Event]:
        """Yield the cluster's own events, and after a forgotten position those since the last one."""
        last_ns = since_ns
        while True:
            listed, version = await self._api.list(self._path, ClusterEvent)
            if last_ns is not None:
                for event in sorted(map(event_of, listed), key=lambda event: event.time_nano):
                    if event.time_nano >= last_ns:
                        yield event
            try:
                while True:
                    async for change in self._api.watch(self._path, version):
                        decoded = decode(bytes(change.object), ClusterEvent, what="watch")
                        version = decoded.metadata.resource_version or version
                        if change.type in {"ADDED", "MODIFIED"}:
                            event = event_of(decoded)
                            last_ns = max(last_ns or 0, event.time_nano + 1)
                            yield event
            except ListExpired:
                continue


async def _pump(
    source: AsyncIterator[Event], queue: asyncio.Queue[Event | PydError], *, optional: bool = False
) -> None:
    """Copy events to a queue; an error ends the stream, unless the user simply may not read this source."""
    try:
        async for event in source:
            await queue.put(event)
    except Refused as error:
        if not optional:
            await queue.put(error)
    except PydError as error:
        await queue.put(error)
    else:
        await queue.put(StreamInterrupted("the API server ended its events"))


def _matches(event: Event, filters: Filters) -> bool:
    checks = {
        "type": [event.type],
        "event": [event.verb, event.action],
        "container": [event.actor.id, event.name],
    }
    for name, values in filters.items():
        if name in checks and values and not set(checks[name]) & set(values):
            return False
    return True


def _nanoseconds(text: str) -> int:
    seconds, _, fraction = text.partition(".")
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0")[:9] or 0)


def _ignore(error: Exception) -> None:
    """Do nothing: errors reach the reader through its queue."""
