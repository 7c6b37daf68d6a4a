"""Logs of the pods that a workload, a service, a node or a label selects, as one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from pyd_core.errors import InvalidInput, NotFound, Unsupported
from pyd_core.kube.subject import is_cluster_subject, parse_subject
from pyd_core.logs.follow import follow
from pyd_core.logs.group import follow_group
from pyd_core.logs.merge import MAX_WAIT_S, merge
from pyd_core.logs.stream import Batch, LogStream
from pyd_core.model.container import POD_CONTAINER, ContainerSummary

if TYPE_CHECKING:
    from pyd_core.client.provider import Provider
    from pyd_tui.console.container_logs import LogsOptions


def is_group(options: LogsOptions) -> bool:
    """Return whether the logs of a cluster's selection of pods are asked for."""
    return bool(options.selector) or any(map(is_cluster_subject, options.names))


class GroupedLogs:
    """The logs of a selection of pods.

    Args:
        engine: The cluster.
        options: The selection, and what is shown of the logs.
    """

    def __init__(self, engine: Provider, options: LogsOptions) -> None:
        self._engine = engine
        self._options = options
        self._container = ""

    async def open(self) -> tuple[LogStream, list[str]]:
        """Return the merged logs, and the names of the containers that are there now.

        Raises:
            InvalidInput: Several names are given.
            NotFound: There is no such object, or it has no pods.
            Unsupported: The provider is no cluster.
        """
        options = self._options
        await self._narrow()
        listed = [summary for summary in await self._engine.containers.list(all=True) if self._belongs(summary)]
        if not listed and not options.follow:
            raise NotFound("no pods are selected", hint="list them with: pyd ps -a", reference="no-pods")
        names = [summary.name for summary in listed]
        if options.follow:
            return follow_group(self._engine, self._belongs, self._open_log, max_wait_s=MAX_WAIT_S), names
        logs = [LogStream(_if_any(self._open_log(summary.id, False))) for summary in listed]
        return merge(logs, max_wait_s=None), names

    async def _narrow(self) -> None:
        from pyd_core.kube.cluster_client import ClusterClient

        if not isinstance(self._engine, ClusterClient):
            raise Unsupported("only a cluster has workloads and labels of pods", hint="-H kube://CONTEXT/NAMESPACE")
        if self._options.selector:
            await self._engine.narrow(labels=self._options.selector)
            return
        if len(self._options.names) != 1:
            raise InvalidInput("several selections of pods", hint="name one of them, or a label with --selector")
        self._container = parse_subject(self._options.names[0]).container
        await self._engine.narrow(self._options.names[0])

    def _belongs(self, summary: ContainerSummary) -> bool:
        return not self._container or summary.labels.get(POD_CONTAINER) == self._container

    def _open_log(self, identity: str, later: bool) -> LogStream:
        options = self._options
        return follow(
            self._engine,
            identity,
            tail=None if later else options.tail,
            since=options.since,
            until=options.until,
            follow=options.follow,
            previous=options.previous,
        )


async def _if_any(stream: LogStream) -> AsyncGenerator[Batch, None]:
    """Yield a log; nothing if its container has no run before the current one."""
    try:
        async for batch in stream.batches():
            yield batch
    except NotFound as error:
        if error.reference != "no-previous-run":
            raise
    finally:
        await stream.aclose()
