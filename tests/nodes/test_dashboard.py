"""The dashboard on a node, by keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.node.containerd import Containerd
from support.terminal import Terminal


@pytest.mark.parametrize("scheme", ["cri", "containerd"])
def test_a_node_has_the_views_that_its_runtime_can_fill(node: Containerd, pyd_path: Path, scheme: str):
    node.container(node.pod("web"), "web", "app", ["sh", "-c", "echo hello; exec sleep 1000"])
    address = f"{scheme}://{node.socket}" + ("?namespace=k8s.io" if scheme == "containerd" else "")
    with Terminal([pyd_path, "-H", address], size=(160, 40)) as dashboard:
        dashboard.wait_for("shop/web/app")
        screen = dashboard.wait_for("3 Events")
        for absent in ("Networks", "Volumes", "System", ":builds"):
            assert absent not in screen
        dashboard.keys("3")
        dashboard.wait_for("ACTION")
        dashboard.keys("4")
        dashboard.wait_for("there is no view volumes here")
        dashboard.keys("1")
        if scheme == "cri":  # a pod's log is the kubelet's, which containerd doesn't know
            dashboard.wait_for("hello")


def test_the_exit_code_of_a_pods_container_is_listed(node: Containerd, pyd_path: Path):
    node.container(node.pod("bad"), "bad", "app", ["sh", "-c", "exit 3"])
    with Terminal([pyd_path, "-H", f"cri://{node.socket}"], size=(160, 40)) as dashboard:
        dashboard.wait_for("exited 3")
