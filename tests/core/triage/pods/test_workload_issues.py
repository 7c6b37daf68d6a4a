from __future__ import annotations

import json
from typing import Any

import pytest

from pyd_core.kube.model.event import ClusterEvent
from pyd_core.kube.model.workload import Workload
from pyd_core.kube.workloads import WorkloadEntry
from pyd_core.model.base import decode, encode
from pyd_core.triage.pods.workload_issues import workload_issues
from support.kube.records import STATES

QUOTA = 'pods "web-1" is forbidden: exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2'


def recorded(kind: str, name: str) -> WorkloadEntry:
    data = (STATES.with_name("workloads") / f"{name}.json").read_bytes()
    return WorkloadEntry(kind=kind, workload=decode(data, Workload))


def entry(kind: str = "statefulset", *conditions: dict[str, Any], **status: Any) -> WorkloadEntry:
    document = {
        "metadata": {"name": "web", "namespace": "states"},
        "spec": {"replicas": 3},
        "status": {"conditions": conditions, **status},
    }
    return WorkloadEntry(kind=kind, workload=decode(encode(document), Workload))


def refusal(message: str, kind: str = "StatefulSet", name: str = "web", namespace: str = "states") -> ClusterEvent:
    about = {"kind": kind, "name": name, "namespace": namespace}
    return decode(
        json.dumps({"involvedObject": about, "reason": "FailedCreate", "message": message}).encode(), ClusterEvent
    )


def test_a_recorded_rollout_is_stuck():
    issues = workload_issues([recorded("deployment", "deployment-stuck")], [])
    assert [(issue.kind, issue.subjects, issue.level) for issue in issues] == [
        ("rollout-stuck", ("deployment/stuck",), "broken")
    ]
    assert "has timed out progressing" in issues[0].text


def test_a_recorded_job_has_failed():
    issues = workload_issues([recorded("job", "job-fail")], [])
    assert [issue.kind for issue in issues] == ["job-failed"]
    assert "BackoffLimitExceeded" in issues[0].text


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (QUOTA, "quota-exceeded"),
        ('error looking up service account states/api: serviceaccount "api" not found', "service-account-missing"),
        ('pods "web-1" is forbidden: violates PodSecurity "restricted:latest": privileged', "pod-security-refused"),
        ("admission webhook denied the request", "pods-refused"),
    ],
)
def test_the_answer_to_the_controller_names_the_cause(message: str, cause: str):
    assert [issue.kind for issue in workload_issues([entry()], [refusal(message)])] == [cause]
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    assert [issue.kind for issue in workload_issues([entry("deployment", failure)], [])] == [cause]


def test_a_replica_set_s_refusal_is_its_deployment_s():
    event = refusal(QUOTA, "ReplicaSet", "web-7f9c")
    assert [issue.subjects for issue in workload_issues([entry("deployment")], [event])] == [("deployment/web",)]


@pytest.mark.parametrize(
    "event",
    [
        refusal(QUOTA, name="web-2"),
        refusal(QUOTA, namespace="other"),
        refusal(QUOTA, "DaemonSet"),
        refusal(QUOTA, "ReplicaSet", "web-api-7f9c"),
    ],
)
def test_another_workload_s_refusal_is_not_claimed(event: ClusterEvent):
    assert workload_issues([entry(), entry("deployment")], [event]) == []


def test_a_refusal_that_is_over_is_forgotten():
    assert workload_issues([entry(replicas=3)], [refusal(QUOTA)]) == []
