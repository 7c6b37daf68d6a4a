from __future__ import annotations

import pytest

from pyd_core.triage.api import explain
from pyd_core.triage.pods.choose import worst
from pyd_core.triage.verdict import Verdict
from support.kube.server import ScriptedCluster
from support.pod_stages import RECORDED_NS, client_of


def verdict(name: str, cause: str, severity: str, confidence: float = 0.9) -> Verdict:
    return Verdict(name=name, cause=cause, confidence=confidence, summary="", severity=severity)


@pytest.mark.parametrize(
    ("name", "subject", "cause"),
    [
        ("partly-ready", "partly-ready/bad", "connection-refused"),
        ("pod/partly-ready", "partly-ready/bad", "connection-refused"),
        ("states/partly-ready", "partly-ready/bad", "connection-refused"),
        ("partly-ready/good", "partly-ready/good", "running-ok"),
        ("init-fail", "init-fail/setup", "connection-refused"),
        ("init-fail/main", "init-fail/main", "init-failed"),
        ("sidecar-done", "sidecar-done/main", "clean-exit"),
        ("oom-main", "oom-main", "oom-killed"),
    ],
)
async def test_a_pod_s_verdict_is_its_worst_container_s(name: str, subject: str, cause: str):
    async with ScriptedCluster() as cluster, client_of(cluster) as client:
        for state in ("partly-ready", "init-fail", "sidecar-done", "oom-main"):
            cluster.load_state(state)
        chosen = await explain(client, name, now_ns=RECORDED_NS)
    assert (chosen.name, chosen.cause) == (subject, cause)


async def test_the_name_of_a_container_asks_for_nothing_in_other_namespaces():
    async with ScriptedCluster() as cluster, client_of(cluster) as client:
        cluster.load_state("partly-ready")
        await explain(client, "partly-ready/bad", now_ns=RECORDED_NS)
        assert [request for request in cluster.requests if "namespaces/partly-ready" in request] == []


def test_the_first_counts_where_nothing_is_broken():
    first, second = verdict("a", "running-ok", "fine", 0.1), verdict("b", "clean-exit", "fine")
    assert worst([first, second]) is first


def test_a_container_that_only_waits_is_never_the_worst():
    waits, fails = verdict("a", "init-failed", "broken"), verdict("b", "app-error", "broken", 0.1)
    assert worst([waits, fails]) is fails
