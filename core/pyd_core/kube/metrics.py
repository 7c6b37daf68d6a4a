"""Use of resources by a cluster's containers (`metrics.k8s.io`), else by their nodes' kubelets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import msgspec

from pyd_core.errors import EngineUnavailable, NotFound, PydError, Unsupported
from pyd_core.kube.cluster_api import ClusterApi, object_path
from pyd_core.kube.container_view import PodMember
from pyd_core.kube.kubelet_summary import KubeletSummaries
from pyd_core.kube.model.meta import ClusterStruct, ObjectMeta
from pyd_core.kube.quantity import parse_quantity
from pyd_core.model.base import format_time, parse_time
from pyd_core.model.stats import ContainerStats, CpuStats, CpuUsage, MemoryStats

INTERVAL_S = 15.0
"""The interval at which metrics-server asks the kubelets, by default."""
WINDOW_S = 15.0
MISSING_INTERVAL_S = 60.0
"""The interval at which a cluster without metrics is asked again, however many containers are on screen."""


class ContainerMetrics(ClusterStruct):
    """Use of one container: quantities of cores and bytes."""

    name: str = ""
    usage: dict[str, str | int | float] = msgspec.field(default_factory=dict)


class PodMetrics(ClusterStruct):
    """Use of a pod's containers, averaged over a window."""

    metadata: ObjectMeta = ObjectMeta()
    timestamp: str = ""
    containers: list[ContainerMetrics] = msgspec.field(default_factory=list)


class MetricsFeed:
    """The metrics of all containers in sight, one request for everyone who asks within an interval.

    Args:
        api: The API server.
    """

    def __init__(self, api: ClusterApi) -> None:
        self._api = api
        self._kubelets = KubeletSummaries(api)
        self._lock = asyncio.Lock()
        self._fetched_s = float("-inf")
        self._missing_since_s = float("-inf")
        self._pods: dict[str, PodMetrics] = {}

    async def latest(self, member: PodMember) -> tuple[int, float, float] | None:
        """Return a container's last measurement: its time, cores and bytes; None where it isn't measured yet.

        Raises:
            Unsupported: The cluster measures nothing.
        """
        async with self._lock:
            if time.monotonic() - self._missing_since_s < MISSING_INTERVAL_S:
                return await self._from_kubelet(member)
            if time.monotonic() - self._fetched_s >= INTERVAL_S:
                path = object_path("pods", group="metrics.k8s.io/v1beta1", namespace=self._api.access.scope)
                try:
                    pods, _ = await self._api.list(path, PodMetrics)
                except (NotFound, EngineUnavailable):
                    self._missing_since_s = time.monotonic()
                    return await self._from_kubelet(member)
                self._pods = {f"{pod.metadata.namespace}/{pod.metadata.name}": pod for pod in pods}
                self._fetched_s = time.monotonic()
        pod = self._pods.get(member.pod.key)
        time_ns = parse_time(pod.timestamp) if pod is not None else None
        if pod is None or time_ns is None:
            return None
        for container in pod.containers:
            if container.name == member.spec.name:
                cores, size = (parse_quantity(container.usage.get(name)) for name in ("cpu", "memory"))
                return time_ns, cores or 0.0, size or 0.0
        return None

    async def _from_kubelet(self, member: PodMember) -> tuple[int, float, float] | None:
        try:
            return await self._kubelets.latest(member)
        except PydError as error:
            raise _no_metrics() from error

    async def samples(self, member: PodMember) -> AsyncIterator[ContainerStats]:
        """Yield samples with counters, as engines do, from which readers compute rates.

        A measurement is a rate over a window, so the first one gives two samples.
        """
        counter_ns = 1
        last_ns = 0
        while True:
            measured = await self.latest(member)
            if measured is not None and measured[0] > last_ns:
                time_ns, cores, size = measured
                start_ns = last_ns or time_ns - int(WINDOW_S * 1e9)
                if not last_ns:
                    yield _sample(start_ns, counter_ns, size)
                counter_ns += int(cores * (time_ns - start_ns))
                yield _sample(time_ns, counter_ns, size)
                last_ns = time_ns
            await asyncio.sleep(INTERVAL_S)


def _no_metrics() -> Unsupported:
    return Unsupported(
        "the cluster has no metrics of containers",
        hint="install metrics-server, or ask for the right to get nodes/proxy",
        reference="no-metrics",
    )


def _sample(time_ns: int, counter_ns: int, size: float) -> ContainerStats:
    return ContainerStats(
        read=format_time(time_ns),
        cpu_stats=CpuStats(cpu_usage=CpuUsage(total_usage=counter_ns)),
        memory_stats=MemoryStats(usage=int(size)),
    )
