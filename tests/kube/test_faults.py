"""pyd against each fault that a cluster can play: the right state, or one line about the fault and a hint."""

from __future__ import annotations

import subprocess

import pytest

from support.kube.process import ClusterProcess
from support.kube.records import state
from support.pyd import Run
from support.terminal import Terminal


def assert_two_lines(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Check that a command failed with its error and a hint."""
    assert done.returncode not in {0, 1}, done.stdout
    lines = done.stderr.splitlines()
    assert len(lines) == 2, done.stderr
    assert lines[1].strip().startswith("hint:"), done.stderr
    for word in words:
        assert word in done.stderr


def test_a_busy_server_is_asked_again(cluster: ClusterProcess, pyd: Run):
    cluster.call("refuse", "GET /api/v1/.*pods", 429, "TooManyRequests", "the server is busy", "0")
    done = pyd("ps", "-a")
    assert done.returncode == 0, done.stderr
    assert "crashloop" in done.stdout


def test_a_user_who_may_not_list_pods(cluster: ClusterProcess, pyd: Run):
    cluster.call("deny", "list|watch", "pods")
    assert_two_lines(pyd("ps"), 'cannot list resource "pods"')


def test_a_user_who_may_not_exec(cluster: ClusterProcess, pyd: Run):
    cluster.call("deny", "create|get", "pods/exec")
    assert_two_lines(pyd("exec", "running/ticker", "true"), 'resource "pods/exec"')


def test_an_expired_token(cluster: ClusterProcess, pyd: Run):
    cluster.call("play", "expired_tokens", [""])
    assert_two_lines(pyd("ps"))


def test_a_proxy_that_refuses_websockets(cluster: ClusterProcess, pyd: Run):
    cluster.call("play", "refuses_websockets", True)
    assert_two_lines(pyd("exec", "running/ticker", "true"), "WebSocket")


@pytest.mark.parametrize("minor", [27, 29, 32, 37])
def test_servers_of_other_releases(cluster: ClusterProcess, pyd: Run, minor: int):
    cluster.call("play", "minor", minor)
    assert "crashloop" in pyd("ps", "-a").stdout
    done = pyd("exec", "-i", "running/ticker", "sh", "-c", "cat >/dev/null & exit 9", stdin=b"typed")
    assert done.returncode == 9, done.stderr


def test_a_pod_on_a_lost_node(cluster: ClusterProcess, pyd: Run):
    cluster.call("load_record", state("lost"), "stranded")
    assert "cause: node-" in pyd("triage", "stranded").stdout


@pytest.mark.parametrize("count", [1, 60, 700, 5000])
def test_a_watch_that_is_cut_loses_no_pod(cluster: ClusterProcess, dashboard: Terminal, count: int):
    dashboard.wait_for("live")
    dashboard.keys("/")
    dashboard.type("newcomer")
    dashboard.keys("Enter")
    cluster.call("play", "cut_watch_bytes", count)
    cluster.call("drop_connections")
    cluster.call("load_state", "running", "newcomer")
    cluster.call("announce")
    dashboard.wait_for("newcomer/app")


def test_an_expired_watch_starts_over(cluster: ClusterProcess, dashboard: Terminal):
    dashboard.wait_for("live")
    dashboard.keys("/")
    dashboard.type("newcomer")
    dashboard.keys("Enter")
    cluster.call("compact")
    cluster.call("load_state", "running", "newcomer")
    cluster.call("announce")
    dashboard.wait_for("newcomer/app")
