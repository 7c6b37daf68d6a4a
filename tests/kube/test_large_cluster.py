"""The dashboard on 5,000 pods: memory, bytes to the terminal, and requests."""

from __future__ import annotations

import re
from pathlib import Path

from support.kube.process import ClusterProcess
from support.terminal import Terminal

PODS = 5000
MAX_MEMORY_MB = 150
SILENCE_S = 10.0


def peak_memory_mb(pid: int) -> float:
    """Return the largest resident set that a process had so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    match = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert match
    return int(match[1]) / 1024


def test_five_thousand_pods_are_listed_within_the_budget(cluster: ClusterProcess, pyd_path: Path):
    containers = cluster.call("load_crowd", PODS)
    with Terminal([pyd_path, "-H", "kube://scripted/*"], env={"KUBECONFIG": str(cluster.kubeconfig)}) as dashboard:
        dashboard.wait_for(re.compile(r"broken +live"))
        header = dashboard.wait_for("broken").splitlines()[0]
        counts = [int(count) for count in re.findall(r"(\d+) (?:running|restarting|stopped|created)", header)]
        assert sum(counts) >= containers
        dashboard.wait_silent(SILENCE_S)
        assert peak_memory_mb(dashboard.pid) < MAX_MEMORY_MB
        dashboard.keys("/")
        dashboard.type("team-7/oom-main-")
        dashboard.keys("Enter")
        dashboard.wait_for(re.compile(r"team-7/oom-main-\d+"))
    requests = cluster.call("requests")
    pages = [line for line in requests if line.startswith("GET /api/v1/pods?limit=500")]
    assert len(pages) == len(range(0, PODS, 500)) + 1  # each page once; the recorded pods take the last one


def test_a_page_that_never_comes_leaves_the_first_ones_on_the_screen(cluster: ClusterProcess, pyd_path: Path):
    cluster.call("load_crowd", 1200)
    cluster.call("refuse", "limit=500&continue=1000", 500, "InternalError", "etcd is unavailable")
    with Terminal([pyd_path, "-H", "kube://scripted/*"], env={"KUBECONFIG": str(cluster.kubeconfig)}) as dashboard:
        dashboard.wait_for(re.compile(r"broken +live"))  # after another attempt
        dashboard.wait_for("states/crashloop")
