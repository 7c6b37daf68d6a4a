"""Containers of a cluster's pods: `engine.containers` of a cluster."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import msgspec

from pyd_core.client.summary_filters import matches
from pyd_core.client.transport.base import Duplex, Stream
from pyd_core.errors import Unsupported
from pyd_core.kube.cluster_api import ClusterApi, object_path
from pyd_core.kube.container_view import PodMember, container_of, members, summary_of
from pyd_core.kube.documents import fetch_document
from pyd_core.kube.metrics import MetricsFeed
from pyd_core.kube.pod_feed import PodFeed
from pyd_core.kube.pod_listing import PodListing
from pyd_core.kube.pod_logs import open_log
from pyd_core.model.archive import PathStat
from pyd_core.model.container import Container, ContainerSummary, Processes
from pyd_core.model.stats import ContainerStats

Filters = Mapping[str, list[str]]
ContainerPages = AsyncIterator[list[Container]]


class PodContainers:
    """The containers of the pods in sight.

    Args:
        feed: The pods.
    """

    def __init__(self, feed: PodFeed) -> None:
        self._feed = feed
        self._store = feed.store
        self._metrics = MetricsFeed(feed.store.api)
        self._api: ClusterApi = feed.store.api

    async def list(
        self, *, all: bool = False, filters: Filters | None = None, size: bool = False, limit: int | None = None
    ) -> list[ContainerSummary]:
        """Return the containers, of the newest pods first; only running ones unless `all`."""
        del size  # no part of the API knows it
        await self._store.settle()
        summaries = [summary_of(member) for member in self._store.members()]
        kept = [entry for entry in summaries if matches(entry, filters or {}, all=all)]
        return kept if limit is None else kept[:limit]

    def restrict(self) -> None:
        """Keep only what lists show of each container from now on; `inspect` then asks the cluster for the rest."""
        self._store.restrict()

    async def pages(self) -> ContainerPages:
        """Yield all containers as their pods are listed."""
        if not self._store.listing:
            await self._store.refresh()
        listing = self._store.listing or PodListing()
        async for keys in listing.pages():
            pods = self._store.listed(keys)
            yield [container_of(member) for pod in pods for member in members(pod, qualified=self._store.qualified)]

    async def listed(self, name: str) -> Container:
        """Return what the list has of a container; without a request while the pods are watched."""
        return container_of(await self._store.member(name, listed=True))

    async def inspect(self, name: str, *, size: bool = False) -> Container:
        """Return a container's data in the shared model."""
        del size
        return container_of(await self._store.member(name))

    async def inspect_raw(self, name: str, *, size: bool = False) -> bytes:
        """Return the pod's JSON as the API server has it, without the bookkeeping of field managers."""
        del size
        member = await self._store.member(name, listed=True)
        metadata = member.pod.metadata
        path = object_path("pods", namespace=metadata.namespace, name=metadata.name)
        return msgspec.json.encode(await fetch_document(self._api, path))

    async def describe(self, name: str) -> tuple[bytes, Container]:
        """Return the pod's JSON, and its container in the shared model."""
        return await self.inspect_raw(name), await self.inspect(name)

    @asynccontextmanager
    async def _log(self, name: str, options: dict[str, Any]) -> AsyncIterator[Stream]:
        member = await self._store.member(name, listed=True)
        async with open_log(self._api, member, **options) as stream:
            yield stream

    def logs(
        self,
        name: str,
        *,
        follow: bool = False,
        stdout: bool = True,
        stderr: bool = True,
        since: str | None = None,
        until: str | None = None,
        timestamps: bool = True,
        tail: int | None = None,
        previous: bool = False,
    ) -> AbstractAsyncContextManager[Stream]:
        """Stream a container's log; a cluster stores both outputs as one."""
        del stdout, stderr
        options = {
            "follow": follow,
            "since": since,
            "until": until,
            "timestamps": timestamps,
            "tail": tail,
            "previous": previous,
        }
        return self._log(name, options)

    @asynccontextmanager
    async def stats_stream(self, name: str) -> AsyncIterator[AsyncIterator[ContainerStats]]:
        """Stream a container's use of resources, at the interval of the cluster's metrics."""
        yield self._metrics.samples(await self._store.member(name, listed=True))

    async def archive_stat(self, name: str, path: str) -> PathStat:
        """Return the metadata of a path in the container, without following links."""
        from pyd_core.kube.pod_files import path_stat  # noqa: PLC0415 - opens a WebSocket

        return await path_stat(self._api, await self._store.member(name, listed=True), path)

    @asynccontextmanager
    async def archive_stream(self, name: str, path: str) -> AsyncIterator[Stream]:
        """Stream a tar of a file or directory of the container."""
        from pyd_core.kube.pod_files import open_archive  # noqa: PLC0415 - opens a WebSocket

        async with open_archive(self._api, await self._store.member(name, listed=True), path) as stream:
            yield stream

    async def archive_get(self, name: str, path: str) -> bytes:
        """Return a tar of a file or directory in the container."""
        async with self.archive_stream(name, path) as stream:
            return b"".join([chunk async for chunk in stream.chunks()])

    async def archive_put(
        self,
        name: str,
        path: str,
        tar: bytes | AsyncIterable[bytes],
        *,
        keep_owners: bool = False,
        overwrite_kinds: bool = False,
    ) -> None:
        """Unpack a tar into a directory of the running container."""
        from pyd_core.kube.pod_files import unpack  # noqa: PLC0415 - opens a WebSocket

        del overwrite_kinds
        await unpack(self._api, await self._store.member(name, listed=True), path, tar, keep_owners=keep_owners)

    async def top(self, name: str, *, ps_args: str | None = None) -> Processes:
        """Return the processes that a container sees, as its own `ps` or its /proc lists them."""
        from pyd_core.kube.processes import list_processes  # noqa: PLC0415 - opens a WebSocket

        return await list_processes(self._api, await self._store.member(name, listed=True), ps_args)

    async def remove(self, name: str, *, force: bool = False, volumes: bool = False, link: bool = False) -> None:
        """Delete a container's pod; `force` doesn't wait for its node."""
        del volumes, link
        await self._delete(await self._store.member(name, listed=True), force=force)

    async def restart(self, name: str, *, signal: str | None = None, grace: int | None = None) -> None:
        """Delete a container's pod, which its workload then creates again.

        Raises:
            Unsupported: No workload would create it again.
        """
        del signal, grace
        member = await self._store.member(name, listed=True)
        if member.pod.metadata.owner is None:
            raise Unsupported(
                f"no workload would create pod {member.pod.metadata.name} again",
                hint="a pod without an owner can't be restarted: delete it and create it again",
                reference="no-owner",
            )
        await self._delete(member)

    async def attach(
        self,
        name: str,
        *,
        stdin: bool = False,
        output: bool = True,
        errors: bool = True,
        logs: bool = False,
        detach_keys: str | None = None,
    ) -> Duplex:
        """Attach to the streams of a container's main process."""
        from pyd_core.kube.channels import open_attach  # noqa: PLC0415 - opens a WebSocket

        del output, errors, logs, detach_keys
        return await open_attach(self._api, await self._store.member(name), stdin=stdin)

    async def _delete(self, member: PodMember, *, force: bool = False) -> None:
        metadata = member.pod.metadata
        path = object_path("pods", namespace=metadata.namespace, name=metadata.name)
        body: dict[str, object] = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "preconditions": {"uid": metadata.uid},
            "propagationPolicy": "Background",
        }
        if force:
            body["gracePeriodSeconds"] = 0
        await self._api.send("DELETE", path, body=body)
