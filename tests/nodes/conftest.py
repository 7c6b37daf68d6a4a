from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.node.containerd import Containerd, running_containerd
from support.pyd import Run


@pytest.fixture(scope="session")
def runtime() -> Iterator[Containerd]:
    with running_containerd() as containerd:
        yield containerd


@pytest.fixture
def node(runtime: Containerd) -> Iterator[Containerd]:
    yield runtime
    runtime.remove_all()


@pytest.fixture
def pyd_path() -> Path:
    path = shutil.which("pyd", path=str(Path(sys.executable).parent))
    assert path, "pyd is not installed next to this interpreter"
    return Path(path)


@pytest.fixture
def pyd(node: Containerd, pyd_path: Path) -> Run:
    return Run(pyd_path, f"cri://{node.socket}")


@pytest.fixture
def pyd_on(node: Containerd, pyd_path: Path) -> Callable[[str], Run]:
    return lambda namespace: Run(pyd_path, f"containerd://{node.socket}?namespace={namespace}")
