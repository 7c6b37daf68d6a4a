from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pyd_core.errors import EngineUnavailable, InvalidInput, NotFound, ProtocolError, Refused
from pyd_core.kube.access import AccessSettings, ClusterAccess
from pyd_core.kube.cluster_api import ClusterApi, lines_of, object_path, path_segment
from pyd_core.kube.failures import ListExpired
from pyd_core.kube.model.pod import Pod
from support.kube.server import ScriptedCluster
from support.kube.wire import Answer, status

PODS = "/api/v1/namespaces/states/pods"


async def test_a_list_is_read_in_pages(cluster: ScriptedCluster, api: ClusterApi):
    for number in range(7):
        cluster.load_state("running", as_name=f"web-{number}")
    cluster.max_page = 3
    pods, version = await api.list(PODS, Pod)
    assert [pod.metadata.name for pod in pods] == [f"web-{number}" for number in range(7)]
    assert version == str(cluster.objects.version)
    assert len([line for line in cluster.requests if "limit=500" in line]) == 3


async def test_an_expired_page_continues_where_the_server_offers_it(cluster: ScriptedCluster, api: ClusterApi):
    for number in range(4):
        cluster.load_state("running", as_name=f"web-{number}")
    cluster.max_page = 2
    gone = status(410, "Expired", "the provided continue parameter is too old")
    gone.body["metadata"] = {"continue": "2"}
    cluster.fail("continue=2", gone)
    cluster.fail("continue=2", Answer(410, gone.body | {"metadata": {}}), times=0)
    with pytest.raises(ListExpired):  # the same token again would never end
        await api.list(PODS, Pod)


async def test_a_list_that_never_ends_is_cut(
    cluster: ScriptedCluster, api: ClusterApi, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("pyd_core.kube.cluster_api.MAX_PAGES", 3)
    cluster.fail("limit=500", Answer(200, {"metadata": {"continue": "more"}, "items": []}), times=99)
    with pytest.raises(ProtocolError, match="never ends"):
        await api.list(PODS, Pod)


async def test_an_overloaded_server_is_asked_again_after_its_own_time(cluster: ScriptedCluster, api: ClusterApi):
    busy = status(429, "TooManyRequests", "too many requests")
    busy.headers["Retry-After"] = "0"
    cluster.fail("/version", busy, times=2)
    answer = await api.send("GET", "/version")
    assert answer.status == 200
    assert len(cluster.requests) == 3


async def test_a_disruption_budget_is_not_asked_again(cluster: ScriptedCluster, api: ClusterApi):
    refusal = status(429, "TooManyRequests", "Cannot evict", details={"causes": [{"reason": "DisruptionBudget"}]})
    refusal.headers["Retry-After"] = "10"
    cluster.fail("eviction", refusal)
    with pytest.raises(EngineUnavailable, match="Cannot evict"):
        await api.send("POST", f"{PODS}/web/eviction", body={})
    assert len(cluster.requests) == 1


async def test_a_change_is_not_sent_twice_to_a_server_that_may_have_made_it(cluster: ScriptedCluster, api: ClusterApi):
    cluster.fail("POST", Answer(503, b"upstream", {"Retry-After": "0"}), times=3)
    with pytest.raises(EngineUnavailable):
        await api.send("POST", PODS, body={"metadata": {"name": "x"}})
    assert len(cluster.requests) == 1


async def test_a_watch_reports_an_expired_version(cluster: ScriptedCluster, api: ClusterApi):
    cluster.load_state("running")
    await cluster.compact()
    with pytest.raises(ListExpired):
        async for _ in api.watch(PODS, "1"):
            pass


async def test_a_watch_that_is_cut_within_an_event_is_an_interruption(cluster: ScriptedCluster, api: ClusterApi):
    cluster.cut_watch_bytes = 100
    version = str(cluster.objects.version)
    cluster.load_state("running")
    with pytest.raises(EngineUnavailable):
        async for _ in api.watch(PODS, version):
            pass


async def test_errors_are_mapped_and_sanitised(cluster: ScriptedCluster, api: ClusterApi):
    with pytest.raises(NotFound):
        await api.get(f"{PODS}/none", Pod)
    cluster.fail("/pods", status(403, "Forbidden", "pods is forbidden\x1b]0;x\x07"))
    with pytest.raises(Refused) as caught:
        await api.list(PODS, Pod)
    assert "\x1b" not in caught.value.message
    cluster.fail("/pods", Answer(500, b"<html>\x1b[2J"))
    with pytest.raises(Exception, match="html") as other:
        await api.list(PODS, Pod)
    assert "\x1b" not in str(other.value)


async def test_a_read_only_client_sends_no_change(cluster: ScriptedCluster):
    access = ClusterAccess(context="c", namespace="n", settings=AccessSettings(server=cluster.url))
    client = ClusterApi(access, read_only=True)
    with pytest.raises(Refused, match="read-only"):
        await client.patch(f"{PODS}/web", {})
    await client.aclose()
    assert cluster.requests == []


async def test_a_line_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pyd_core.kube.cluster_api.MAX_EVENT_BYTES", 10)

    async def chunks() -> AsyncIterator[bytes]:
        while True:
            yield b"xxxx"

    with pytest.raises(ProtocolError):
        async for _ in lines_of(chunks()):
            pass


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "a%2fb"])
def test_a_name_cannot_leave_its_segment(name: str):
    with pytest.raises(InvalidInput):
        path_segment(name)


def test_paths_of_core_and_other_groups():
    assert object_path("pods", namespace="a", name="b") == "/api/v1/namespaces/a/pods/b"
    assert object_path("deployments", group="apps/v1", namespace="a") == "/apis/apps/v1/namespaces/a/deployments"
