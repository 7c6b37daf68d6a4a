from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.kube.kubectl import Kubectl
from support.kube.process import ClusterProcess, scripted_cluster
from support.pyd import Run
from support.snapshot_file import Picture
from support.terminal import Terminal

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion


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


@pytest.fixture
def picture(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Compare with the picture on file."""
    return snapshot.use_extension(Picture)
