"""The dashboard on a cluster, by keyboard."""

from __future__ import annotations

import base64

from support.kube.process import ClusterProcess
from support.terminal import Terminal


def test_a_broken_pod_is_understood_and_its_deployment_restarted(cluster: ClusterProcess, dashboard: Terminal):
    deployment = {
        "metadata": {"name": "web", "namespace": "states", "generation": 1},
        "spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": "app", "image": "web:1"}]}}},
        "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1},
    }
    cluster.call("put", "deployments", deployment)
    dashboard.wait_for("live")
    dashboard.keys("/")
    dashboard.type("crashloop")
    dashboard.keys("Enter")
    dashboard.wait_for("cannot open database")
    dashboard.keys("w")
    dashboard.wait_for("connection-refused")
    dashboard.keys("q")
    dashboard.wait_for("Containers")
    dashboard.keys("2")
    dashboard.wait_for("not ready")
    dashboard.keys(":")
    dashboard.type("restart")
    dashboard.keys("Enter")
    dashboard.wait_for("restarting deployment/web")
    assert any(line.startswith("PATCH") and "deployments/web" in line for line in cluster.call("requests"))


def test_a_pod_that_comes_and_goes_is_shown(cluster: ClusterProcess, dashboard: Terminal):
    dashboard.wait_for("live")
    dashboard.keys("/")
    dashboard.type("newcomer")
    dashboard.keys("Enter")
    cluster.call("load_state", "running", "newcomer")
    cluster.call("announce")
    dashboard.wait_for("newcomer/app")
    cluster.call("remove", "pods", "states", "newcomer")
    dashboard.wait_gone("newcomer/app")


def test_the_value_of_a_secret_is_never_on_the_screen(cluster: ClusterProcess, dashboard: Terminal):
    value = base64.b64encode(b"hunter2-secret").decode()
    secret = {"metadata": {"name": "db", "namespace": "states"}, "type": "Opaque", "data": {"password": value}}
    cluster.call("put", "secrets", secret)
    dashboard.wait_for("live")
    dashboard.keys("7")
    dashboard.wait_for("(14 bytes)")
    assert value not in dashboard.screen
    assert "hunter2" not in dashboard.screen


def test_keys_of_what_a_cluster_lacks_are_not_offered(dashboard: Terminal):
    dashboard.wait_for("Workloads")
    dashboard.wait_for("live")
    dashboard.keys(".")
    dashboard.wait_for("remove it")
    for absent in ("stop it", "rename it", "commit its files", "connect it"):
        assert absent not in dashboard.screen
