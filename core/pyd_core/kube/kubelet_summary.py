"""Use of resources by the containers of a node, from its kubelet's summary, for clusters without metrics-server.

The API server passes the request on to the kubelet. It requires the right to get `nodes/proxy`.
"""

from __future__ import annotations

import asyncio
import time

import msgspec

from pyd_core.errors import PydError
from pyd_core.kube.cluster_api import ClusterApi, object_path
from pyd_core.kube.container_view import PodMember
from pyd_core.kube.model.meta import ClusterStruct
from pyd_core.model.base import parse_time

INTERVAL_S = 10.0
"""The interval at which kubelets measure, by default."""
MISSING_INTERVAL_S = 60.0
"""The interval at which a kubelet that refused is asked again."""
MAX_NODES = 1000


class _PodReference(ClusterStruct):
    name: str = ""
    namespace: str = ""
    uid: str = ""


class _CpuSummary(ClusterStruct):
    time: str = ""
    usage_nano_cores: int | None = None


class _MemorySummary(ClusterStruct):
    working_set_bytes: int | None = None


class _ContainerSummary(ClusterStruct):
    name: str = ""
    cpu: _CpuSummary = _CpuSummary()
    memory: _MemorySummary = _MemorySummary()


class _PodSummary(ClusterStruct):
    pod_ref: _PodReference = _PodReference()
    containers: list[_ContainerSummary] = msgspec.field(default_factory=list)


class _Summary(ClusterStruct):
    pods: list[_PodSummary] = msgspec.field(default_factory=list)


class _NodeFigures:
    """The last summary of a node."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.due_s = float("-inf")
        self.failure: PydError | None = None
        self.containers: dict[tuple[str, str], _ContainerSummary] = {}
        """Containers by their pod's uid and their name."""


class KubeletSummaries:
    """The summaries of nodes, one request for everyone who asks within an interval.

    Args:
        api: The API server.
    """

    def __init__(self, api: ClusterApi) -> None:
        self._api = api
        self._nodes: dict[str, _NodeFigures] = {}

    async def latest(self, member: PodMember) -> tuple[int, float, float] | None:
        """Return a container's last measurement: its time, cores and bytes; None where it isn't measured yet.

        Raises:
            PydError: The kubelet can't be reached, or the user may not ask it.
        """
        node = member.pod.spec.node_name
        if not node:
            return None
        while node not in self._nodes and len(self._nodes) >= MAX_NODES:
            self._nodes.pop(next(iter(self._nodes)))
        figures = self._nodes.setdefault(node, _NodeFigures())
        async with figures.lock:
            if time.monotonic() >= figures.due_s:
                await self._fetch(node, figures)
        if figures.failure is not None:
            raise figures.failure
        container = figures.containers.get((member.pod.metadata.uid, member.spec.name))
        time_ns = parse_time(container.cpu.time) if container is not None else None
        if container is None or time_ns is None or container.cpu.usage_nano_cores is None:
            return None
        cores = max(0, container.cpu.usage_nano_cores) / 1e9
        return time_ns, cores, float(max(0, container.memory.working_set_bytes or 0))

    async def _fetch(self, node: str, figures: _NodeFigures) -> None:
        path = f"{object_path('nodes', name=node)}/proxy/stats/summary"
        try:
            summary = await self._api.get(path, _Summary)
        except PydError as error:
            figures.failure = error
            figures.containers = {}
            figures.due_s = time.monotonic() + MISSING_INTERVAL_S
            return
        figures.failure = None
        figures.containers = {
            (pod.pod_ref.uid, container.name): container for pod in summary.pods for container in pod.containers
        }
        figures.due_s = time.monotonic() + INTERVAL_S
