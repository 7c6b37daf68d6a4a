from __future__ import annotations

from typing import Any

import pytest

from pyd_core.kube.model.pod import Pod
from pyd_core.kube.model.service import ClusterService
from pyd_core.model.base import decode, encode
from pyd_core.triage.pods.service_issues import service_issues


def service(target: int | str = 80, **spec: Any) -> ClusterService:
    own = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": target}], **spec}
    return decode(encode({"metadata": {"name": "web", "namespace": "states"}, "spec": own}), ClusterService)


def pod(ready: str = "True", phase: str = "Running", namespace: str = "states", **labels: str) -> Pod:
    document = {
        "metadata": {"name": "web-1", "namespace": namespace, "labels": labels or {"app": "web", "tier": "front"}},
        "spec": {"containers": [{"name": "app", "ports": [{"containerPort": 80, "name": "http"}]}]},
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": ready}]},
    }
    return decode(encode(document), Pod)


@pytest.mark.parametrize(
    ("target", "pods", "why"),
    [
        (80, [], "no running pod has the labels app=web"),
        (80, [pod(app="api")], "no running pod has the labels app=web"),
        (80, [pod(namespace="other")], "no running pod has the labels app=web"),
        (80, [pod(phase="Succeeded")], "no running pod has the labels app=web"),
        (80, [pod("False"), pod("False")], "none of its 2 pods is ready"),
        ("web", [pod()], "no container of its pods has a port with the name web"),
    ],
)
def test_a_service_without_endpoints_says_why(target: int | str, pods: list[Pod], why: str):
    issues = service_issues([service(target)], pods)
    assert [(issue.kind, issue.level) for issue in issues] == [("service-without-endpoints", "broken")]
    assert issues[0].text == f"service/web has no endpoints: {why}"


@pytest.mark.parametrize(
    ("own", "pods"),
    [
        (service("http"), [pod()]),
        (service("80"), [pod()]),
        (service(), [pod("False"), pod()]),
        (service(selector={}), []),
        (service(type="ExternalName"), []),
    ],
)
def test_a_service_that_has_endpoints_or_selects_none_is_well(own: ClusterService, pods: list[Pod]):
    assert service_issues([own], pods) == []
