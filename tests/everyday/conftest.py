from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from everyday.page import write_page
from support.debugging import ready_toolbox
from support.docker import Docker, busybox_files
from support.pydd import Pydd
from support.terminal import Terminal

WORKER = (
    'echo starting worker; [ -n "$QUEUE_URL" ] || { echo "fatal: QUEUE_URL is not set" >&2; exit 1; }; exec sleep 1000'
)
WEB = 'n=0; while :; do n=$((n + 1)); echo "{\\"level\\":\\"info\\",\\"msg\\":\\"GET /$n\\"}"; sleep 1; done'


@pytest.fixture(scope="session")
def docker() -> Iterator[Docker]:
    """The docker CLI against an engine of its own: the strip names the worst of all containers."""
    ready_toolbox()
    with Pydd.started() as engine, Docker(host=engine.host) as docker:
        yield docker


@pytest.fixture(scope="session")
def busybox(docker: Docker) -> str:
    return docker.image("busybox", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))


@pytest.fixture
def dashboard(docker: Docker, busybox: str, tmp_path: Path) -> Iterator[Terminal]:
    """The dashboard in its first second, over a project, a crash loop, an ended job and a container without a shell."""
    project = ["--label", "com.docker.compose.project=shop"]
    docker("run", "-d", "--name", "shop-web-1", *project, "-p", "18080:80", busybox, "sh", "-c", WEB)
    docker("run", "-d", "--name", "shop-db-1", *project, busybox, "sleep", "1000")
    docker("run", "-d", "--name", "worker", "--restart", "always", busybox, "sh", "-c", WORKER)
    docker("run", "--name", "report", busybox, "sh", "-c", 'for n in $(seq 1 3000); do echo "line $n of it"; done')
    docker("run", "-d", "--name", "bare", busybox, "sleep", "1000")
    own = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_STATE_HOME": str(tmp_path / "state")}
    pyd = Path(sys.executable).with_name("pyd")
    with Terminal([pyd, "-H", docker.host], (120, 40), {**own, "DOCKER_HOST": docker.host}) as terminal:
        terminal.wait_for("F1 worker QUEUE_URL is not set")
        yield terminal
    docker("rm", "-f", *docker("ps", "-aq").split())


def pytest_sessionfinish(exitstatus: int) -> None:
    """Write the page, where one is asked for and all tasks were done."""
    if (path := os.environ.get("PYD_EVERYDAY")) and exitstatus == 0:
        write_page(Path(path))
