from __future__ import annotations

import pytest

from pyd_core.errors import Conflict, InvalidInput, Refused, Unsupported
from pyd_core.kube.cluster_api import ClusterApi
from pyd_core.kube.model.workload import Workload
from pyd_core.kube.workloads import (
    WorkloadEntry,
    list_workloads,
    restart,
    roll_back,
    rollout_of,
    scale,
    suspend,
)
from pyd_core.model.base import decode, encode
from support.kube.objects import Object
from support.kube.server import ScriptedCluster
from support.kube.wire import status


def entry(kind: str = "deployment", **document: object) -> WorkloadEntry:
    metadata = {"name": "web", "namespace": "states", "uid": "u1"}
    return WorkloadEntry(kind=kind, workload=decode(encode({"metadata": metadata, **document}), Workload))


def deployment(cluster: ScriptedCluster, **spec: object) -> Object:
    document: Object = {
        "metadata": {"name": "web", "namespace": "states", "uid": "u1", "generation": 1},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "app", "image": "new"}]}}, **spec},
        "status": {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2},
    }
    return cluster.objects.put("deployments", document)


@pytest.mark.parametrize(
    ("kind", "document", "words", "well"),
    [
        ("deployment", {"spec": {"replicas": 0}}, "scaled to 0", True),
        ("deployment", {"spec": {"paused": True}}, "paused", True),
        (
            "deployment",
            {"spec": {"replicas": 2}, "status": {"updatedReplicas": 2, "replicas": 2, "readyReplicas": 1}},
            "1 of 2 not ready",
            False,
        ),
        (
            "deployment",
            {
                "spec": {"replicas": 2},
                "status": {
                    "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]
                },
            },
            "stuck: ProgressDeadlineExceeded",
            False,
        ),
        (
            "job",
            {"status": {"conditions": [{"type": "Failed", "status": "True", "reason": "Backoff"}]}},
            "failed",
            False,
        ),
        ("cronjob", {"spec": {"schedule": "* * * * *", "suspend": True}}, "suspended", True),
        (
            "daemonset",
            {"status": {"desiredNumberScheduled": 3, "updatedNumberScheduled": 1}},
            "rolling out, 1 of 3",
            True,
        ),
    ],
)
def test_the_state_of_a_rollout_in_words(kind: str, document: dict[str, object], words: str, well: bool):
    text, good = rollout_of(entry(kind, **document))
    assert text.startswith(words)
    assert good == well


async def test_kinds_that_may_not_be_listed_are_left_out(cluster: ScriptedCluster, api: ClusterApi):
    deployment(cluster)
    cluster.fail("/cronjobs", status(403, "Forbidden", "no"))
    assert [known.name for known in await list_workloads(api)] == ["deployment/web"]
    cluster.fail("/(apps|batch)/", status(403, "Forbidden", "no"), times=5)
    with pytest.raises(Refused):
        await list_workloads(api)


async def test_scale_restart_and_suspend(cluster: ScriptedCluster, api: ClusterApi):
    stored = deployment(cluster)
    (target,) = await list_workloads(api)
    await scale(api, target, 5)
    stored = cluster.objects.get("deployments", "states", "web") or {}
    assert stored["spec"]["replicas"] == 5
    await restart(api, target)
    stored = cluster.objects.get("deployments", "states", "web") or {}
    assert "kubectl.kubernetes.io/restartedAt" in stored["spec"]["template"]["metadata"]["annotations"]
    assert stored["spec"]["template"]["spec"]["containers"][0]["image"] == "new"
    await suspend(api, target, suspended=True)
    assert (cluster.objects.get("deployments", "states", "web") or {})["spec"]["paused"] is True
    with pytest.raises(InvalidInput):
        await scale(api, target, -1)
    with pytest.raises(Unsupported):
        await scale(api, entry("daemonset"), 1)


async def test_a_rollback_replaces_the_whole_template(cluster: ScriptedCluster, api: ClusterApi):
    deployment(cluster)
    (target,) = await list_workloads(api)
    with pytest.raises(Conflict):
        await roll_back(api, target)
    for number, image in ((9, "old"), (10, "new")):
        owner = {"kind": "Deployment", "name": "web", "uid": "u1", "controller": True}
        template = {
            "metadata": {"labels": {"app": "web", "pod-template-hash": "h"}},
            "spec": {"containers": [{"name": "app", "image": image}]},
        }
        annotations = {"deployment.kubernetes.io/revision": str(number)}
        metadata = {
            "name": f"web-{number}",
            "namespace": "states",
            "annotations": annotations,
            "ownerReferences": [owner],
        }
        cluster.objects.put("replicasets", {"metadata": metadata, "spec": {"template": template}})
    assert await roll_back(api, target) == "9"
    stored = cluster.objects.get("deployments", "states", "web") or {}
    assert stored["spec"]["template"]["spec"]["containers"][0]["image"] == "old"
    assert stored["spec"]["template"]["metadata"]["labels"] == {"app": "web"}
