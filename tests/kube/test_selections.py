"""Workloads, labels, services and nodes as subjects of the installed pyd's commands."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from support.kube.process import ClusterProcess
from support.kube.records import state
from support.pyd import Run


def pod_of(name: str, app: str, record: str = "running") -> dict[str, Any]:
    pod: dict[str, Any] = state(record)["pod"]
    labels = {"app": app}
    pod["metadata"] |= {"name": name, "uid": f"uid-{name}", "labels": labels, "ownerReferences": []}
    return pod


def deployment(name: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "states", "generation": 1},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": name}}},
        "status": {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2},
    }


def two_pods(cluster: ClusterProcess) -> None:
    cluster.call("put", "deployments", deployment("web"))
    for number in (1, 2):
        cluster.call("put", "pods", pod_of(f"web-{number}", "web"))
        line = f"2026-11-30T23:30:0{number}.000000000Z line of {number}\n"
        cluster.call("append_log", "states", f"web-{number}", "app", line)


@contextmanager
def following(pyd: Run, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [pyd.pyd, "-H", "kube://", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=pyd.env
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def test_the_logs_of_a_deployment_are_one_stream_in_time_order(cluster: ClusterProcess, pyd: Run):
    two_pods(cluster)
    done = pyd("logs", "deploy/web/app", DOCKER_HOST="")
    assert [line.split("| ")[1] for line in done.stdout.splitlines()] == ["line of 1", "line of 2"], done.stderr
    done = pyd("logs", "--selector", "app=web")
    assert "line of 1" in done.stdout
    assert "line of 2" in done.stdout
    assert not any("/pods?" in line and "labelSelector" not in line for line in cluster.call("requests"))


def test_a_pod_that_comes_later_joins_its_deployment_s_log(cluster: ClusterProcess, pyd: Run):
    two_pods(cluster)
    with following(pyd, "logs", "-f", "deploy/web/app") as process:
        assert process.stdout is not None
        assert {process.stdout.readline().split("| ")[1] for _ in range(2)} == {"line of 1\n", "line of 2\n"}
        cluster.call("append_log", "states", "web-3", "app", "2026-11-30T23:31:00.000000000Z joined\n")
        cluster.call("put", "pods", pod_of("web-3", "web"))
        assert process.stdout.readline() == "web-3/app | joined\n"


def test_previous_logs_are_those_of_the_run_before(pyd: Run):
    assert "cannot open database" in pyd("logs", "--previous", "crashloop").stdout
    done = pyd("logs", "--previous", "running/app")
    assert (done.returncode, "no run before" in done.stderr) == (1, True)
    assert pyd("logs", "-p", "-f", "crashloop").returncode == 2


def test_a_workload_without_pods_is_one_line(cluster: ClusterProcess, pyd: Run):
    cluster.call("put", "deployments", deployment("empty"))
    done = pyd("logs", "deploy/empty")
    assert "no pods are selected" in done.stderr
    assert "not found" in pyd("logs", "deploy/missing").stderr


def test_triage_of_a_deployment_names_its_broken_pods_only(cluster: ClusterProcess, pyd: Run):
    cluster.call("put", "deployments", deployment("web"))
    cluster.call("put", "pods", pod_of("web-1", "web"))
    cluster.call("put", "pods", pod_of("web-2", "web", "crashloop"))
    done = pyd("triage", "deploy/web", "--json", DOCKER_HOST="")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["broken"]) == (1, True), done.stderr
    assert {tuple(concern["subjects"]) for concern in answer["concerns"]} == {("web-2",)}


def test_triage_of_a_service_says_which_endpoints_it_leaves_out(cluster: ClusterProcess, pyd: Run):
    service = {"metadata": {"name": "web", "namespace": "states"}, "spec": {"selector": {"app": "web"}}}
    cluster.call("put", "services", service)
    cluster.call("put", "pods", pod_of("web-1", "web"))
    cluster.call("put", "pods", pod_of("web-2", "web", "ready-fail"))
    text = pyd("triage", "svc/web").stdout
    assert "endpoints-not-ready: service/web leaves out the endpoint web-2" in text


def test_triage_of_a_node_reads_its_conditions_and_its_pods(cluster: ClusterProcess, pyd: Run):
    node = {
        "metadata": {"name": "n1"},
        "spec": {"unschedulable": True},
        "status": {"conditions": [{"type": "DiskPressure", "status": "True", "reason": "KubeletHasDiskPressure"}]},
    }
    cluster.call("put", "nodes", node)
    done = pyd("triage", "node/n1")
    assert "node-pressure: node/n1 is short of disk space" in done.stdout
    assert "node-cordoned" in done.stdout
    assert done.returncode == 1
    assert "not found" in pyd("triage", "node/none").stderr


def test_the_option_for_clusters_is_the_current_context(pyd: Run):
    done = subprocess.run(
        [pyd.pyd, "ps", "-a", "--kube", "--json"], capture_output=True, text=True, env=pyd.env, check=True
    )
    assert len(json.loads(done.stdout)) > 40
