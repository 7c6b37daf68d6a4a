from __future__ import annotations

import pytest

from pyd_core.errors import Unsupported
from pyd_core.kube.cluster_api import ClusterApi
from pyd_core.kube.container_view import members
from pyd_core.kube.metrics import MetricsFeed
from pyd_core.kube.model.pod import Pod
from pyd_core.model.base import decode, encode
from pyd_core.watch.stats import compute_usage, from_api
from support.kube.server import ScriptedCluster


async def test_a_measurement_gives_a_rate_at_once(cluster: ScriptedCluster, api: ClusterApi):
    pod = decode(encode(cluster.load_state("running")), Pod)
    member = next(members(pod))
    cluster.metrics = [
        {
            "metadata": {"name": "running", "namespace": "states"},
            "timestamp": "2026-11-30T23:20:00Z",
            "containers": [{"name": member.spec.name, "usage": {"cpu": "250m", "memory": "10Mi"}}],
        }
    ]
    feed = MetricsFeed(api)
    samples = feed.samples(member)
    first = from_api(await anext(samples), memory_limit=None)
    second = from_api(await anext(samples), memory_limit=None)
    assert first is not None
    assert second is not None
    usage = compute_usage(second, first)
    assert usage.cpu_percent == pytest.approx(25)
    assert usage.memory_bytes == 10 * 2**20
    await feed.latest(member)
    assert len([line for line in cluster.requests if "metrics" in line]) == 1
    await samples.aclose()  # type: ignore[attr-defined]


async def test_a_cluster_without_metrics_says_so(cluster: ScriptedCluster, api: ClusterApi):
    pod = decode(encode(cluster.load_state("running")), Pod)
    feed = MetricsFeed(api)
    for _ in range(3):  # one for each container on screen
        with pytest.raises(Unsupported, match="no metrics of containers"):
            await feed.latest(next(members(pod)))
    assert len([line for line in cluster.requests if "metrics" in line]) == 1
