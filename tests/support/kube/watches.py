"""Watches: the changes of a list as a stream, with bookmarks, tables and expired versions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from support.kube.objects import Change, Object
from support.kube.resources import Resource, Target
from support.kube.selectors import selector
from support.kube.tables import table_of
from support.kube.wire import Chunked, Request

if TYPE_CHECKING:
    from support.kube.server import ScriptedCluster


class Watch:
    """A watch on a list.

    Args:
        cluster: Whose objects it reports.
        request: The request with its selectors and options.
        target: The list.
        writer: The connection.
    """

    def __init__(
        self, cluster: ScriptedCluster, request: Request, target: Target, writer: asyncio.StreamWriter
    ) -> None:
        self._cluster, self._objects = cluster, cluster.objects
        self._request, self._target, self._writer = request, target, writer
        labels, fields = request.text("labelSelector"), request.text("fieldSelector")
        if target.name:
            fields = ",".join(filter(None, (fields, f"metadata.name={target.name}")))
        self._keep = selector(labels, fields)
        self._table = "as=Table" in request.headers.get("accept", "")
        self._heading = True
        self._shown: set[tuple[str, str]] = set()
        self._budget, cluster.faults.cut_watch_bytes = cluster.faults.cut_watch_bytes, None

    async def serve(self) -> None:
        """Send changes until the watch ends."""
        stream = Chunked(self._writer)
        timeout = int(self._request.text("timeoutSeconds", "0") or 0) or None
        with suppress(TimeoutError, _Cut):
            async with asyncio.timeout(timeout):
                await self._serve(stream)
        if not self._writer.is_closing():
            await stream.end()

    async def _serve(self, stream: Chunked) -> None:
        text = self._request.text("resourceVersion")
        version = int(text or 0)
        initial = self._request.flag("sendInitialEvents")
        if version == 0 or initial:
            version = self._objects.version
            for item in self._objects.select(self._target.resource.name, self._target.namespace, self._keep):
                await self._send(stream, "ADDED", item)
        if initial and self._request.flag("allowWatchBookmarks"):
            await self._bookmark(stream, version, {"k8s.io/initial-events-end": "true"})
        while True:
            if version < self._objects.oldest:
                await self._expired(stream, version)
                return
            for change in [*self._changes(version)]:
                version = change.version
                await self._report(stream, change)
            async with self._objects.changed:
                if version >= self._objects.oldest and not [*self._changes(version)]:
                    await self._objects.changed.wait()

    def _changes(self, version: int) -> Iterator[Change]:
        return self._objects.since(self._target.resource.name, self._target.namespace, version)

    async def _report(self, stream: Chunked, change: Change) -> None:
        """Report a change as this watch sees it: objects come and go as its selectors hold for them."""
        metadata = change.object["metadata"]
        key = (metadata.get("namespace", ""), metadata["name"])
        if self._keep(change.object):
            kind = change.type
            if kind == "MODIFIED" and self._selective and key not in self._shown:
                kind = "ADDED"
            await self._send(stream, kind, change.object)
        elif key in self._shown:
            await self._send(stream, "DELETED", change.object)

    @property
    def _selective(self) -> bool:
        return bool(self._request.text("labelSelector") or self._request.text("fieldSelector"))

    async def _send(self, stream: Chunked, kind: str, item: Object) -> None:
        key = (item["metadata"].get("namespace", ""), item["metadata"]["name"])
        (self._shown.discard if kind == "DELETED" else self._shown.add)(key)
        await self._event(stream, kind, self._form(self._target.resource, item))

    def _form(self, resource: Resource, item: Object) -> Object:
        document = {"kind": resource.kind, "apiVersion": resource.group_version, **item}
        if not self._table:
            return document
        heading, self._heading = self._heading, False
        metadata = {"resourceVersion": item["metadata"].get("resourceVersion", "")}
        include = self._request.text("includeObject", "Metadata")
        return table_of(resource.name, [document], metadata, include=include, heading=heading)

    async def _bookmark(self, stream: Chunked, version: int, annotations: dict[str, str]) -> None:
        metadata: Object = {"resourceVersion": str(version), "annotations": annotations}
        item: Object = {"metadata": {**metadata, "name": ""}}
        form = self._form(self._target.resource, item) if self._table else None
        if form is None:
            resource = self._target.resource
            form = {"kind": resource.kind, "apiVersion": resource.group_version, "metadata": metadata}
        await self._event(stream, "BOOKMARK", form)

    async def _expired(self, stream: Chunked, version: int) -> None:
        text = f"too old resource version: {version} ({self._objects.oldest})"
        gone = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": text}
        await self._event(stream, "ERROR", {**gone, "reason": "Expired", "code": 410})

    async def _event(self, stream: Chunked, kind: str, document: Object) -> None:
        data = json.dumps({"type": kind, "object": document}).encode() + b"\n"
        if self._budget is not None:
            if len(data) >= self._budget:
                await stream.send(data[: self._budget])
                self._writer.transport.abort()
                raise _Cut
            self._budget -= len(data)
        await stream.send(data)


class _Cut(Exception):
    """The connection was cut on purpose."""
