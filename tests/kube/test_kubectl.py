"""Debian's kubectl, unchanged, does its work against the scripted cluster."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from support.kube.kubectl import Kubectl
from support.kube.process import ClusterProcess

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "labels": {"app": "web"}},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "app", "image": "web:1", "ports": [{"containerPort": 80}]}]},
        },
    },
}


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "web.json"
    path.write_text(json.dumps(DEPLOYMENT))
    return path


def test_pods_are_listed_as_the_recorded_server_prints_them(kubectl: Kubectl):
    rows = {line.split()[0]: line.split() for line in kubectl("get", "pods", "--no-headers").splitlines()}
    assert rows["crashloop"][1:4] == ["0/1", "CrashLoopBackOff", "4"]
    assert rows["pending-cpu"][1:3] == ["0/1", "Pending"]
    assert rows["sidecar"][1] == "2/2"
    wide = kubectl("get", "pods", "running", "-o", "wide")
    assert "NOMINATED NODE" in wide
    assert "kube-node" in wide
    assert kubectl.json("get", "pod", "running")["kind"] == "Pod"
    assert "kind: Pod" in kubectl("get", "pod", "running", "-o", "yaml")


def test_a_watch_prints_a_pod_that_comes_and_goes(cluster: ClusterProcess, kubectl: Kubectl):
    with kubectl.start("get", "pods", "-w", "--field-selector", "metadata.name=newcomer", "--no-headers") as process:
        assert process.stdout is not None
        try:
            cluster.call("load_state", "running", "newcomer")
            cluster.call("announce")
            assert process.stdout.readline().split()[:3] == ["newcomer", "2/2", "Running"]
        finally:
            process.terminate()


def test_everything_is_described(kubectl: Kubectl, manifest: Path):
    kubectl("apply", "-f", str(manifest))
    kubectl("expose", "deployment", "web", "--port=80")
    assert "Back-off restarting failed container" in kubectl("describe", "pod", "crashloop")
    assert "NewReplicaSet:   web-" in kubectl("describe", "deployment", "web")
    assert re.search(r"Selector: +app=web\n", kubectl("describe", "service", "web"))
    assert "Non-terminated Pods" in kubectl("describe", "node", "kube-node")


def test_apply_creates_changes_and_leaves_alone(kubectl: Kubectl, manifest: Path):
    assert "created" in kubectl("apply", "-f", str(manifest))
    assert "unchanged" in kubectl("apply", "-f", str(manifest))
    manifest.write_text(manifest.read_text().replace("web:1", "web:2"))
    assert kubectl.run("diff", "-f", str(manifest)).returncode == 1
    assert "configured" in kubectl("apply", "-f", str(manifest))
    assert kubectl("get", "deploy", "web", "-o", "jsonpath={..image}") == "web:2"


def test_apply_refuses_a_field_that_the_published_schema_lacks(kubectl: Kubectl, manifest: Path):
    manifest.write_text(manifest.read_text().replace('"containerPort"', '"containerPart"'))
    done = kubectl.run("apply", "-f", str(manifest))
    assert done.returncode == 1
    assert 'unknown field "spec.template.spec.containers[0].ports[0].containerPart"' in done.stderr


def test_server_side_apply_reports_the_owner_of_a_field(kubectl: Kubectl, manifest: Path):
    kubectl("apply", "--server-side", "-f", str(manifest))
    kubectl("apply", "--server-side", "--field-manager=other", "-f", str(manifest))
    manifest.write_text(manifest.read_text().replace("web:1", "web:2"))
    refused = kubectl.run("apply", "--server-side", "--field-manager=other", "-f", str(manifest))
    assert refused.returncode == 1
    assert 'conflict with "kubectl": .spec.template.spec.containers[name="app"].image' in refused.stderr
    kubectl("apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", str(manifest))
    assert kubectl("get", "deploy", "web", "-o", "jsonpath={..image}") == "web:2"


def test_a_rollout_is_followed_restarted_and_undone(kubectl: Kubectl, manifest: Path):
    kubectl("apply", "-f", str(manifest))
    assert "successfully rolled out" in kubectl("rollout", "status", "deploy/web")
    kubectl("set", "image", "deploy/web", "app=web:2")
    assert "successfully rolled out" in kubectl("rollout", "status", "deploy/web")
    assert kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].spec..image}") == "web:2 web:2"
    kubectl("rollout", "undo", "deploy/web")
    kubectl("rollout", "status", "deploy/web")
    assert kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].spec..image}") == "web:1 web:1"
    assert kubectl("rollout", "history", "deploy/web").splitlines()[2:4] == ["2         <none>", "3         <none>"]
    kubectl("rollout", "restart", "deploy/web")
    kubectl("rollout", "status", "deploy/web")
    assert len(kubectl.json("get", "rs", "-l", "app=web")["items"]) == 3


def test_a_deployment_is_scaled_and_its_pods_go_with_it(kubectl: Kubectl, manifest: Path):
    kubectl("apply", "-f", str(manifest))
    kubectl("scale", "deploy/web", "--replicas=3")
    kubectl("rollout", "status", "deploy/web")
    assert len(kubectl.json("get", "pods", "-l", "app=web")["items"]) == 3
    kubectl("delete", "deploy", "web")
    kubectl("wait", "--for=delete", "pod", "-l", "app=web", "--timeout=60s")
    assert kubectl.json("get", "pods", "-l", "app=web")["items"] == []


def test_objects_are_created_labelled_patched_and_deleted(kubectl: Kubectl):
    kubectl("create", "configmap", "settings", "--from-literal=a=1")
    kubectl("create", "secret", "generic", "db", "--from-literal=password=x")
    kubectl("create", "namespace", "extra")
    kubectl("create", "serviceaccount", "robot")
    kubectl("create", "deployment", "made", "--image=web:1")
    kubectl("create", "job", "once", "--image=web:1", "--", "true")
    kubectl("label", "configmap", "settings", "tier=back")
    kubectl("annotate", "configmap", "settings", "note=x")
    kubectl("patch", "configmap", "settings", "-p", '{"data":{"b":"2"}}')
    kubectl("patch", "cm", "settings", "--type=json", "-p", '[{"op":"remove","path":"/data/a"}]')
    stored = kubectl.json("get", "cm", "-l", "tier in (back,front)")["items"]
    assert [item["data"] for item in stored] == [{"b": "2"}]
    assert kubectl.json("get", "secret", "db")["data"] == {"password": "eA=="}
    assert kubectl.json("get", "job", "once")["spec"]["template"]["spec"]["containers"][0]["command"] == ["true"]
    kubectl("delete", "cm", "settings")
    assert 'configmaps "settings" not found' in kubectl.run("get", "cm", "settings").stderr


def test_logs_of_this_run_and_of_the_previous_one(cluster: ClusterProcess, kubectl: Kubectl):
    assert "cannot open database" in kubectl("logs", "crashloop", "--previous")
    assert len(kubectl("logs", "running", "-c", "ticker", "--tail=2", "--timestamps").splitlines()) == 2
    missing = kubectl.run("logs", "running", "-c", "nope")
    assert missing.returncode == 1
    with kubectl.start("logs", "-f", "running", "-c", "ticker", "--tail=1") as process:
        assert process.stdout is not None
        try:
            process.stdout.readline()
            cluster.call("append_log", "states", "running", "ticker", "2026-12-01T00:00:00Z followed\n")
            assert process.stdout.readline() == "followed\n"
        finally:
            process.terminate()


def test_a_node_is_cordoned_drained_and_given_back(kubectl: Kubectl, manifest: Path):
    kubectl("apply", "-f", str(manifest))
    kubectl("rollout", "status", "deploy/web")
    kubectl("cordon", "kube-node")
    assert "Ready,SchedulingDisabled" in kubectl("get", "nodes")
    selector = "--pod-selector=app=web"
    assert "evicted" in kubectl("drain", "kube-node", "--ignore-daemonsets", "--force", selector)
    kubectl("uncordon", "kube-node")
    assert "SchedulingDisabled" not in kubectl("get", "nodes")


def test_a_disruption_budget_holds_a_drain(cluster: ClusterProcess, kubectl: Kubectl):
    budget = {
        "metadata": {"name": "keep", "namespace": "states"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "running"}}},
        "status": {"disruptionsAllowed": 0, "desiredHealthy": 1, "currentHealthy": 1},
    }
    cluster.call("put", "poddisruptionbudgets", budget)
    options = ("--force", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=2s")
    done = kubectl.run("drain", "kube-node", "--pod-selector=app=running", *options)
    assert done.returncode == 1
    assert "Cannot evict pod as it would violate the pod's disruption budget" in done.stderr


def test_measured_pods_and_nodes(cluster: ClusterProcess, kubectl: Kubectl):
    assert "Metrics API not available" in kubectl.run("top", "pods").stderr
    usage = {"cpu": "250m", "memory": "64Mi"}
    named = {"timestamp": "2026-12-01T00:00:00Z", "window": "15s"}
    pod = {"metadata": {"name": "running", "namespace": "states"}, "containers": [{"name": "app", "usage": usage}]}
    node = {"metadata": {"name": "kube-node"}, "usage": usage}
    cluster.call("measure", [{**pod, **named}, {**node, **named}])
    assert kubectl("top", "pods", "--no-headers").split() == ["running", "250m", "64Mi"]
    assert kubectl("top", "nodes", "--no-headers").split()[:2] == ["kube-node", "250m"]


def test_the_schema_is_explained(kubectl: Kubectl):
    assert "containerPort\t<integer> -required-" in kubectl("explain", "pod.spec.containers.ports")
    assert "GROUP:      apps" in kubectl("explain", "deployments.spec.strategy")


def test_rights_are_asked_for_and_refused(cluster: ClusterProcess, kubectl: Kubectl):
    assert kubectl("auth", "can-i", "create", "pods/exec") == "yes\n"
    cluster.call("deny", "create|get", "pods/exec")
    refused = kubectl.run("auth", "can-i", "create", "pods", "--subresource=exec")
    assert (refused.returncode, refused.stdout) == (1, "no\n")
    assert "cannot" in kubectl.run("exec", "running", "--", "true").stderr
    assert "tester" in kubectl("auth", "whoami")


def test_resources_events_and_conditions(kubectl: Kubectl):
    resources = kubectl("api-resources", "--no-headers")
    assert "deployments" in resources
    assert "poddisruptionbudgets" in resources
    assert "apps/v1" in kubectl("api-versions")
    assert "BackOff" in kubectl("events", "--for", "pod/crashloop")
    assert "Failed" in kubectl("get", "events")
    assert "condition met" in kubectl("wait", "--for=condition=Ready", "pod/running", "--timeout=30s")
    assert kubectl.run("wait", "--for=condition=Ready", "pod/crashloop", "--timeout=1s").returncode == 1


@pytest.mark.parametrize("refused", [False, True], ids=["websocket", "spdy"])
def test_exec_keeps_streams_and_exit_codes(cluster: ClusterProcess, kubectl: Kubectl, refused: bool):
    cluster.call("play", "refuses_websockets", refused)
    script = "cat; echo err >&2; exit 9"
    done = kubectl.run("exec", "-i", "running", "-c", "ticker", "--", "sh", "-c", script, stdin="typed")
    assert (done.stdout, done.returncode) == ("typed", 9)
    assert "err" in done.stderr
    missing = kubectl.run("exec", "running", "-c", "ticker", "--", "no-such-program")
    assert "executable file not found in $PATH" in missing.stderr


@pytest.mark.parametrize("refused", [False, True], ids=["websocket", "spdy"])
def test_a_port_is_forwarded(cluster: ClusterProcess, kubectl: Kubectl, refused: bool):
    cluster.call("play", "refuses_websockets", refused)
    port = cluster.address.rpartition(":")[2]
    with kubectl.start("port-forward", "pod/running", f":{port}") as process:
        assert process.stdout is not None
        try:
            local = process.stdout.readline().split()[2]
            url = f"http://{local}/version"
            answer = subprocess.run(["curl", "-sf", "--max-time", "30", url], capture_output=True, check=True)
            assert json.loads(answer.stdout)["gitVersion"] == "v1.36.2"
        finally:
            process.terminate()


@pytest.mark.parametrize("minor", [27, 29, 30, 32, 34, 37])
def test_kubectl_works_with_servers_of_other_releases(cluster: ClusterProcess, kubectl: Kubectl, minor: int):
    cluster.call("play", "minor", minor)
    assert f"v1.{minor}.2" in kubectl("version")
    assert "crashloop" in kubectl("get", "pods")
    assert kubectl("exec", "running", "-c", "ticker", "--", "echo", "here") == "here\n"


def test_a_list_comes_in_pages(cluster: ClusterProcess, kubectl: Kubectl):
    rows = kubectl("get", "pods", "--no-headers", "--chunk-size=7").splitlines()
    assert len(rows) > 40
    assert sum("continue=" in line for line in cluster.call("requests")) >= 5
