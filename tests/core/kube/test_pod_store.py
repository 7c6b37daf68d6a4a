from __future__ import annotations

import pytest

from pyd_core.errors import NotFound
from pyd_core.kube.cluster_api import ClusterApi
from pyd_core.kube.pod_store import PodStore
from support.kube.server import ScriptedCluster


async def test_a_known_container_is_returned_without_a_request(cluster: ScriptedCluster, api: ClusterApi):
    cluster.load_state("partly-ready")
    store = PodStore(api)
    member = await store.member("partly-ready/bad")
    requests = len(cluster.requests)
    assert store.known(member.id) == member
    assert store.known("partly-ready/bad") is None
    assert store.known("0" * 64) is None
    assert len(cluster.requests) == requests


async def test_a_removed_pod_is_not_found(cluster: ScriptedCluster, api: ClusterApi):
    cluster.load_state("crashloop")
    store = PodStore(api)
    member = await store.member("crashloop")
    await cluster.remove("pods", "states", "crashloop")
    with pytest.raises(NotFound):
        await store.member(member.id)
