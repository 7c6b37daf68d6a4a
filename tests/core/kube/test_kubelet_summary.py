"""Figures of containers from their node's kubelet, where the cluster has no metrics."""

from __future__ import annotations

import json

import pytest

from pyd_core.errors import Unsupported
from pyd_core.kube.cluster_api import ClusterApi
from pyd_core.kube.container_view import PodMember, members
from pyd_core.kube.metrics import MetricsFeed
from pyd_core.kube.model.pod import Pod
from pyd_core.model.base import decode, encode
from support.kube.server import ScriptedCluster
from support.kube.wire import Answer

SUMMARY = "GET /api/v1/nodes/[^/]+/proxy/stats/summary"


def loaded(cluster: ScriptedCluster) -> PodMember:
    pod = decode(encode(cluster.load_state("running")), Pod)
    return next(members(pod))


def summary(member: PodMember, **cpu: object) -> Answer:
    """Return a kubelet's answer, in the form of `Summary` of its `stats/v1alpha1`."""
    metadata = member.pod.metadata
    container = {
        "name": member.spec.name,
        "cpu": {"time": "2026-11-30T23:20:00Z", "usageNanoCores": 250_000_000, **cpu},
        "memory": {"workingSetBytes": 10 << 20, "usageBytes": 20 << 20},
    }
    reference = {"name": metadata.name, "namespace": metadata.namespace, "uid": metadata.uid}
    document = {"node": {"nodeName": "n"}, "pods": [{"podRef": reference, "containers": [container]}]}
    return Answer(200, json.dumps(document).encode())


async def test_the_kubelet_is_asked_once_for_all_containers_of_its_node(cluster: ScriptedCluster, api: ClusterApi):
    member = loaded(cluster)
    cluster.fail(SUMMARY, summary(member))
    feed = MetricsFeed(api)
    for _ in range(3):
        measured = await feed.latest(member)
        assert measured is not None
        assert measured[1:] == (0.25, 10 << 20)
    assert len([line for line in cluster.requests if "stats/summary" in line]) == 1


@pytest.mark.parametrize("cpu", [{"usageNanoCores": None}, {"time": "never"}])
async def test_what_isnt_measured_yet_has_no_figures(cluster: ScriptedCluster, api: ClusterApi, cpu: dict[str, object]):
    member = loaded(cluster)
    cluster.fail(SUMMARY, summary(member, **cpu))
    assert await MetricsFeed(api).latest(member) is None


async def test_a_kubelet_that_refuses_or_lies_is_not_asked_again_at_once(cluster: ScriptedCluster, api: ClusterApi):
    member = loaded(cluster)
    cluster.fail(SUMMARY, Answer(200, b'{"pods":"none"}'))
    feed = MetricsFeed(api)
    for _ in range(3):
        with pytest.raises(Unsupported, match="no metrics of containers"):
            await feed.latest(member)
    assert len([line for line in cluster.requests if "stats/summary" in line]) == 1
