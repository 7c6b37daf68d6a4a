from __future__ import annotations

from typing import TYPE_CHECKING

from pyd_core.kube.cluster_api import ClusterApi
from pyd_core.kube.model.pod import Pod
from pyd_core.kube.nodes import cordon, evict, plan_drain, pods_on
from pyd_core.model.base import decode, encode
from support.kube.server import ScriptedCluster
from support.kube.wire import Answer, status

if TYPE_CHECKING:
    import pytest


def pod(
    name: str, owner: str = "ReplicaSet", *, phase: str = "Running", mirror: bool = False, scratch: bool = False
) -> Pod:
    metadata: dict[str, object] = {"name": name, "namespace": "states", "uid": name}
    if owner:
        metadata["ownerReferences"] = [{"kind": owner, "name": "o", "controller": True}]
    if mirror:
        metadata["annotations"] = {"kubernetes.io/config.mirror": "x"}
    spec = {"nodeName": "n", "volumes": [{"name": "v", "emptyDir": {}}] if scratch else []}
    return decode(encode({"metadata": metadata, "spec": spec, "status": {"phase": phase}}), Pod)


def test_a_drain_leaves_what_cannot_move():
    pods = [
        pod("web", scratch=True),
        pod("agent", "DaemonSet"),
        pod("etcd", "Node", mirror=True),
        pod("lonely", ""),
        pod("done", phase="Succeeded"),
    ]
    plan = plan_drain(pods)
    assert [entry.metadata.name for entry in plan.evicted] == ["web"]
    assert {entry.metadata.name for entry in plan.staying} == {"agent", "etcd"}
    assert [entry.metadata.name for entry in plan.lost] == ["lonely"]
    assert [entry.metadata.name for entry in plan.scratch] == ["web"]


async def test_a_cordon_and_the_pods_of_a_node(cluster: ScriptedCluster, api: ClusterApi):
    cluster.objects.put("nodes", {"metadata": {"name": "kube-node"}, "spec": {}})
    cluster.load_state("running")
    await cordon(api, "kube-node", unschedulable=True)
    assert (cluster.objects.get("nodes", "", "kube-node") or {})["spec"] == {"unschedulable": True}
    assert [entry.metadata.name for entry in await pods_on(api, "kube-node")] == ["running"]


async def test_an_eviction_is_asked_for_until_the_budget_allows_it(
    cluster: ScriptedCluster, api: ClusterApi, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("pyd_core.kube.nodes.EVICTION_INTERVAL_S", 0.0)
    refusal = status(429, "TooManyRequests", "Cannot evict", details={"causes": [{"reason": "DisruptionBudget"}]})
    cluster.fail("eviction", refusal, times=2)
    cluster.fail("eviction", Answer(201, {"status": "Success"}))
    await evict(api, pod("web"))
    assert len([line for line in cluster.requests if "eviction" in line]) == 3
