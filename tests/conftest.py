"""Fixtures every suite may use: a corner of a real Docker Engine, and images made without a registry."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.docker import SLEEPER, Docker, busybox_files, compile_static
from support.missing import missing


class AtOnce:
    """Reporter of failures as they happen: a run that is cut off later never prints its summary."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._terminal.write_sep("_", f"{report.nodeid} ({report.when}, after {report.duration:.1f} s)")
            self._terminal.write_line(report.longreprtext)


def pytest_sessionstart(session: pytest.Session) -> None:
    plugins = session.config.pluginmanager
    terminal = plugins.getplugin("terminalreporter")
    if os.environ.get("CI") and terminal is not None:
        plugins.register(AtOnce(terminal))


@pytest.fixture(scope="session")
def docker() -> Iterator[Docker]:
    """A corner of the Docker Engine on this machine."""
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0
    ):
        missing("a Docker Engine that answers (sh test.sh installs and starts one)")
    with Docker() as corner:
        yield corner


@pytest.fixture(scope="session")
def sleeper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A static program that sleeps until SIGTERM."""
    return compile_static(SLEEPER, tmp_path_factory.mktemp("static") / "app")


@pytest.fixture(scope="session")
def distroless(docker: Docker, sleeper: Path) -> str:
    """An image with one static program and nothing else."""
    return docker.image("distroless", {"app": sleeper}, 'CMD ["/app"]')


@pytest.fixture(scope="session")
def busybox(docker: Docker) -> str:
    """An image with busybox and its applets."""
    return docker.image("busybox", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
