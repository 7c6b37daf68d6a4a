"""Nodes: cordon and drain."""

from __future__ import annotations

import asyncio

import msgspec

from pyd_core.errors import EngineUnavailable, NotFound
from pyd_core.kube.cluster_api import ClusterApi, object_path
from pyd_core.kube.model.pod import Pod

EVICTION_INTERVAL_S = 5.0
"""Seconds until an eviction is asked for again that a disruption budget refuses."""
EVICTION_TIMEOUT_S = 300.0


class DrainPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Effect of a drain on a node's pods."""

    evicted: tuple[Pod, ...]
    """Pods that their workloads create again elsewhere."""
    staying: tuple[Pod, ...]
    """Pods of daemon sets and static pods, which a drain leaves."""
    lost: tuple[Pod, ...]
    """Pods without a workload, which nothing creates again."""
    scratch: tuple[Pod, ...]
    """Evicted pods that lose data in `emptyDir` volumes."""


def plan_drain(pods: list[Pod]) -> DrainPlan:
    """Return what a drain does to the pods of a node; ended pods don't matter."""
    evicted, staying, lost = [], [], []
    for pod in pods:
        owner = pod.metadata.owner
        if pod.status.phase in {"Succeeded", "Failed"}:
            continue
        if pod.metadata.annotations.mirror or (owner is not None and owner.kind == "DaemonSet"):
            staying.append(pod)
        elif owner is None:
            lost.append(pod)
        else:
            evicted.append(pod)
    scratch = [pod for pod in evicted if any(volume.empty_dir is not None for volume in pod.spec.volumes)]
    return DrainPlan(evicted=tuple(evicted), staying=tuple(staying), lost=tuple(lost), scratch=tuple(scratch))


async def pods_on(api: ClusterApi, node: str) -> list[Pod]:
    """Return the pods of a node, in all namespaces."""
    pods, _ = await api.list(object_path("pods"), Pod, {"fieldSelector": f"spec.nodeName={node}"})
    return pods


async def cordon(api: ClusterApi, node: str, *, unschedulable: bool) -> None:
    """Keep new pods away from a node, or let them come again."""
    await api.patch(object_path("nodes", name=node), {"spec": {"unschedulable": unschedulable}})


async def evict(api: ClusterApi, pod: Pod) -> None:
    """Ask for a pod's eviction until its disruption budget allows it.

    Raises:
        EngineUnavailable: The budget didn't allow it in time.
    """
    metadata = pod.metadata
    path = f"{object_path('pods', namespace=metadata.namespace, name=metadata.name)}/eviction"
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": metadata.name, "namespace": metadata.namespace},
        "deleteOptions": {"preconditions": {"uid": metadata.uid}},
    }
    async with asyncio.timeout(EVICTION_TIMEOUT_S) as limit:
        while True:
            try:
                await api.send("POST", path, body=body)
            except NotFound:
                return
            except EngineUnavailable as error:
                deadline = limit.when() or 0.0
                if asyncio.get_running_loop().time() + EVICTION_INTERVAL_S >= deadline:
                    raise EngineUnavailable(error.message, hint="its disruption budget allows no eviction") from error
                await asyncio.sleep(EVICTION_INTERVAL_S)
            else:
                return
