from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.kube.kubectl import Kubectl
from support.kube.process import ClusterProcess, scripted_cluster
from support.pyd import Run
from support.terminal import Terminal


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ClusterProcess]:
    with scripted_cluster(tmp_path) as process:
        yield process


@pytest.fixture
def kubectl(cluster: ClusterProcess, tmp_path: Path) -> Kubectl:
    """Debian's kubectl; the schemas that it asks for need the `kubernetes` package."""
    pytest.importorskip("kubernetes")
    return Kubectl(cluster.kubeconfig, tmp_path)


@pytest.fixture
def pyd_path() -> Path:
    path = shutil.which("pyd", path=str(Path(sys.executable).parent))
    assert path, "pyd is not installed next to this interpreter"
    return Path(path)


@pytest.fixture
def pyd(cluster: ClusterProcess, pyd_path: Path) -> Run:
    run = Run(pyd_path, "kube://")
    run.env |= {"KUBECONFIG": str(cluster.kubeconfig), "PYD_DEBUG_IMAGE": "registry.test/tools:1"}
    return run


@pytest.fixture
def dashboard(cluster: ClusterProcess, pyd_path: Path) -> Iterator[Terminal]:
    env = {"KUBECONFIG": str(cluster.kubeconfig), "PYD_DEBUG_IMAGE": "registry.test/tools:1"}
    with Terminal([pyd_path, "-H", "kube://"], env=env) as terminal:
        yield terminal
