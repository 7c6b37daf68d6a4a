from __future__ import annotations

import re

import pytest

from pyd_core.triage.api import explain
from pyd_core.triage.scan import sweep
from pyd_core.triage.text_report import describe, describe_sweep
from support.kube.records import state, state_names
from support.kube.server import ScriptedCluster
from support.kube.wire import status
from support.pod_stages import RECORDED_NS, client_of, event

FORBIDDEN = status(403, "Forbidden", "events is forbidden")


async def test_without_the_right_to_events_the_verdict_says_what_is_missing():
    async with ScriptedCluster() as cluster, client_of(cluster) as client:
        cluster.load_state("live-fail")
        cluster.fail(r"GET \S*/events", FORBIDDEN, times=9)
        verdict = await explain(client, "live-fail", now_ns=RECORDED_NS)
    assert verdict.cause == "restart-loop"
    assert "pod events" in {gap.source for gap in verdict.unread}


async def test_the_events_of_an_earlier_pod_of_that_name_do_not_count():
    async with ScriptedCluster() as cluster, client_of(cluster) as client:
        cluster.load_state("live-fail")
        for item in cluster.objects.select("events", "states", lambda _: True):
            item["involvedObject"]["uid"] = "earlier"
        verdict = await explain(client, "live-fail", now_ns=RECORDED_NS)
    assert verdict.cause == "restart-loop"


async def test_a_volume_claim_that_exists_is_not_called_missing():
    async with ScriptedCluster() as cluster, client_of(cluster) as client:
        cluster.load_state("pending-pvc")
        cluster.objects.put("persistentvolumeclaims", {"metadata": {"name": "nopvc", "namespace": "states"}})
        verdict = await explain(client, "pending-pvc", now_ns=RECORDED_NS)
    assert verdict.cause == "volume-unbound"


async def test_hostile_messages_stay_within_their_line():
    record = state("ready-fail")
    record["events"].append(
        event(record, "Unhealthy", "Readiness probe failed: \x1b[2J\x07\u202e" + "x" * 9000, "main")
    )
    async with ScriptedCluster() as cluster, client_of(cluster) as client:
        cluster.load_record(record)
        text = describe(await explain(client, "ready-fail", now_ns=RECORDED_NS))
    assert not set("\x1b\x07\u202e") & set(text)
    assert max(map(len, text.splitlines())) < 5000


@pytest.mark.parametrize("name", ["../../nodes", "pod/", "a%2fb", "states/../x", "crashloop/..", "\x1b[31m"])
async def test_names_cannot_address_another_resource(name: str):
    async with ScriptedCluster() as cluster, client_of(cluster) as client:
        cluster.load_state("crashloop")
        with pytest.raises(Exception, match=r"no such|not a name|no container"):
            await explain(client, name)
        assert not [request for request in cluster.requests if "nodes" in request or ".." in request]


async def test_a_scan_reads_lists_once_and_executes_nothing():
    async with ScriptedCluster() as cluster, client_of(cluster) as client:
        for name in state_names():
            cluster.load_state(name)
        scan = await sweep(client)
        requests = [request.partition("?")[0] for request in cluster.requests]
    assert len(requests) < len(state_names())
    assert [request for request in requests if re.search(r"/exec$|pods/[^/]+$", request)] == []
    kinds = {concern.subjects[0]: concern.kind for concern in scan.concerns if concern.level == "broken"}
    assert kinds["init-fail/setup"] == "connection-refused"
    assert "init-fail/main" not in kinds
    assert kinds["pending-cpu"] == "insufficient-resources"
    assert not {"running/app", "completed", "sidecar/main"} & kinds.keys()
    assert "pyd update" not in describe_sweep(scan)


async def test_a_scan_lists_a_lost_pod_of_two_containers_once():
    record = state("running")
    record["pod"]["status"] |= {
        "phase": "Failed",
        "reason": "Evicted",
        "message": "The node was low on resource: memory.",
    }
    async with ScriptedCluster() as cluster, client_of(cluster) as client:
        cluster.load_record(record)
        scan = await sweep(client)
    assert [concern.kind for concern in scan.concerns if concern.level == "broken"] == ["evicted-node-pressure"]
