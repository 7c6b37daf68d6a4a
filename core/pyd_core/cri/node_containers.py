"""Containers of a node's runtime."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from pyd_core.client.endpoint import Endpoint
from pyd_core.client.summary_filters import matches
from pyd_core.client.transport.base import Stream
from pyd_core.cri.node_container import NodeContainer, container_of, summary_of
from pyd_core.cri.node_logs import NodeLogOptions, open_log
from pyd_core.cri.node_processes import list_processes
from pyd_core.cri.node_source import NodeSource, find
from pyd_core.errors import Unsupported
from pyd_core.model.archive import PathStat
from pyd_core.model.base import encode
from pyd_core.model.container import Container, ContainerSummary, Processes
from pyd_core.model.stats import ContainerStats

Filters = Mapping[str, list[str]]
SummaryList = list[ContainerSummary]


class NodeContainers:
    """The containers.

    Args:
        source: Lists and inspects them.
        endpoint: Says whether their files may be changed.
    """

    def __init__(self, source: NodeSource, endpoint: Endpoint) -> None:
        self._source = source
        self._endpoint = endpoint

    async def list(
        self, *, all: bool = False, filters: Filters | None = None, size: bool = False, limit: int | None = None
    ) -> SummaryList:
        """Return the containers, newest first; only running ones unless `all`."""
        del size  # no runtime counts it for a list
        containers = sorted(await self._source.list(), key=lambda container: -container.created_ns)
        entries = [summary_of(container) for container in containers]
        kept = [entry for entry in entries if matches(entry, filters or {}, all=all)]
        return kept if limit is None else kept[:limit]

    async def inspect(self, name: str, *, size: bool = False) -> Container:
        """Return a container's data in the shared model."""
        del size
        return container_of(await find(self._source, name))

    async def inspect_raw(self, name: str, *, size: bool = False) -> bytes:
        """Return a container's data in the shared model, as JSON."""
        return encode(await self.inspect(name, size=size))

    async def describe(self, name: str) -> tuple[bytes, Container]:
        """Return a container's data as JSON, and in the shared model."""
        container = await self.inspect(name)
        return encode(container), container

    @asynccontextmanager
    async def _log(self, name: str, options: NodeLogOptions) -> AsyncIterator[Stream]:
        with open_log(await find(self._source, name), options) as stream:
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
        """Stream a container's output from its log file; when following, until its main process ends."""
        if previous:
            raise Unsupported(
                "each run is a container of its own here", hint="list them with: pyd ps -a", reference="one-log"
            )
        options = NodeLogOptions(
            follow=follow,
            stdout=stdout,
            stderr=stderr,
            since=since or "",
            until=until or "",
            timestamps=timestamps,
            tail=tail,
        )
        return self._log(name, options)

    def stats_stream(self, name: str) -> AbstractAsyncContextManager[AsyncIterator[ContainerStats]]:
        """Refuse: a node's figures are read from its cgroups, by users who may."""
        raise Unsupported(f"the cgroups of {name} can't be read", hint="run pyd as root on the node")

    async def top(self, name: str, *, ps_args: str | None = None) -> Processes:
        """Return a container's processes."""
        return await list_processes(await find(self._source, name), ps_args)

    async def get(self, name: str) -> NodeContainer:
        """Return a container as the runtime has it."""
        return await find(self._source, name)

    async def archive_stat(self, name: str, path: str) -> PathStat:
        """Return the metadata of a path of a running container, without following a link at its end."""
        from pyd_core.cri.node_files import path_stat  # noqa: PLC0415 - only to copy files

        return await path_stat(await find(self._source, name), path)

    async def archive_get(self, name: str, path: str) -> bytes:
        """Return a tar of a file or directory of a running container."""
        async with self.archive_stream(name, path) as stream:
            return b"".join([chunk async for chunk in stream.chunks()])

    @asynccontextmanager
    async def archive_stream(self, name: str, path: str) -> AsyncIterator[Stream]:
        """Stream a tar of a file or directory of a running container."""
        from pyd_core.cri.node_files import open_archive  # noqa: PLC0415 - only to copy files

        async with open_archive(await find(self._source, name), path) as stream:
            yield stream

    async def archive_put(
        self,
        name: str,
        path: str,
        tar: bytes | AsyncIterable[bytes],
        *,
        keep_owners: bool = False,
        overwrite_kinds: bool = False,
    ) -> None:
        """Unpack a tar into a directory of a running container; see `node_writes.unpack`.

        Raises:
            Refused: Changes aren't allowed.
        """
        from pyd_core.cri.node_writes import unpack  # noqa: PLC0415 - only to copy files

        self._endpoint.require_writable()
        container = await find(self._source, name)
        await unpack(container, path, tar, keep_owners=keep_owners, overwrite_kinds=overwrite_kinds)
