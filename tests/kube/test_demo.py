"""`pyd demo --kube`: the playground is applied, judged by pyd itself, and taken away."""

from __future__ import annotations

import json

from support.kube.process import ClusterProcess
from support.pyd import Run

NAMESPACE = "pyd-demo"


def test_the_playground_comes_with_an_image_of_the_nodes_and_goes(cluster: ClusterProcess, pyd: Run):
    images = [{"names": ["registry.test/app:1"]}, {"names": ["registry.test/pause@sha256:0", "registry.test/pause:3"]}]
    cluster.call("put", "nodes", {"metadata": {"name": "images"}, "status": {"images": images}})
    done = pyd("demo", "--kube")
    assert done.returncode == 0, done.stderr
    assert "its image can't be pulled" in done.stdout
    creations = [line for line in cluster.call("requests") if line.startswith("POST") and NAMESPACE in line]
    assert len(creations) == 10
    pod = json.loads(pyd("-H", f"kube:///{NAMESPACE}", "inspect", "no-program").stdout)[0]
    assert pod["spec"]["containers"][0]["image"] == "registry.test/pause:3"
    again = pyd("demo", "--kube")
    assert (again.returncode, "is there already" in again.stderr) == (1, True)
    assert pyd("demo", "--kube", "down").stdout == f"{NAMESPACE}\n"
    assert any(line.startswith(f"DELETE /api/v1/namespaces/{NAMESPACE}") for line in cluster.call("requests"))


def test_a_namespace_of_another_owner_is_left_alone(cluster: ClusterProcess, pyd: Run):
    cluster.call("put", "namespaces", {"metadata": {"name": NAMESPACE}})
    for command in ("up", "down"):
        assert pyd("demo", "--kube", command, "--image", "a:1").returncode == 1
    assert not any(line.startswith(("DELETE", "POST /api/v1/namespaces/")) for line in cluster.call("requests"))


def test_a_refusal_in_the_middle_leaves_nothing(cluster: ClusterProcess, pyd: Run):
    cluster.call("deny", "create", "services")
    done = pyd("demo", "--kube", "--image", "a:1")
    assert (done.returncode, len(done.stderr.splitlines()) <= 2) == (125, True)
    assert any(line.startswith(f"DELETE /api/v1/namespaces/{NAMESPACE}") for line in cluster.call("requests"))


def test_no_known_image_and_an_image_for_an_engine_are_one_line(cluster: ClusterProcess, pyd: Run):
    assert "--image is for clusters" in pyd("-H", "unix:///nothing.sock", "demo", "--image", "a:1").stderr
    refused = pyd("--read-only", "demo", "--kube", "--image", "a:1")
    assert "read-only" in refused.stderr
