from __future__ import annotations

import asyncio

import pytest

from pyd_core.errors import NotFound, Refused
from pyd_core.kube.cluster_api import ClusterApi
from pyd_core.kube.model.listed_pod import ListedPod
from pyd_core.kube.pod_feed import PodFeed
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


async def test_a_restricted_store_fetches_the_rest_of_a_pod_once(cluster: ScriptedCluster, api: ClusterApi):
    pod = cluster.load_state("running")
    pod["spec"]["containers"][0]["env"] = [{"name": "COLOUR", "value": "red"}]
    store = PodStore(api)
    store.restrict()
    async with PodFeed(store).subscribe() as events:
        listed = await store.member("running/app", listed=True)
        requests = len(cluster.requests)
        assert (isinstance(listed.pod, ListedPod), listed.spec.env) == (True, ())
        for _ in range(2):
            full = await store.member("running/app")
            assert [entry.name for entry in full.spec.env] == ["COLOUR"]
        assert cluster.requests[requests:].count("GET /api/v1/namespaces/states/pods/running") == 1
        pod["spec"]["containers"][0]["env"] = []
        await cluster.put("pods", pod)
        async with asyncio.timeout(20):
            await anext(events)
            assert (await store.member("running/app")).spec.env == ()


async def test_the_first_page_is_known_although_a_later_one_is_refused(cluster: ScriptedCluster, api: ClusterApi):
    cluster.load_crowd(25, namespace="states")
    cluster.max_page = 10
    cluster.refuse("continue=20", 403, "Forbidden", "pods is forbidden")
    store = PodStore(api)
    store.restrict()
    async with PodFeed(store).subscribe(early=True):
        assert store.listing is not None
        with pytest.raises(Refused):
            await anext(keys async for keys in store.listing.pages() if len(store.pods()) > 20)
        assert len(store.pods()) == 20


async def test_a_pod_that_a_second_list_lacks_is_forgotten(cluster: ScriptedCluster, api: ClusterApi):
    cluster.load_crowd(25, namespace="states")
    store = PodStore(api)
    await store.refresh()
    gone = store.pods()[3]
    await cluster.remove("pods", "states", gone.metadata.name)
    await store.refresh()
    assert len(store.pods()) == 24
    assert gone.key not in {pod.key for pod in store.pods()}
