"""Many containers at once: what the engine takes of the machine, and that nothing of them stays."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.docker import Docker, busybox_files
from support.pydd import Pydd

PARALLEL = 200
RUNNING = 500
WORKERS = 16
WATCHED = 10.0
"""Seconds over which the idle engine's processor time is counted."""


@pytest.fixture
def engine() -> Iterator[Pydd]:
    with Pydd.started() as started:
        yield started


@pytest.fixture
def docker(engine: Pydd) -> Iterator[Docker]:
    with Docker(host=engine.host) as corner:
        yield corner


def image(docker: Docker) -> str:
    return docker.image("many", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))


def test_200_containers_started_in_parallel_and_removed_leave_nothing(engine: Pydd, docker: Docker):
    image_name = image(docker)
    port = ("-p", "127.0.0.1::80")
    with ThreadPoolExecutor(WORKERS) as pool:

        def start(number: int) -> str:
            options = port if number % 4 == 0 else ()
            return docker.run(f"p{number}", image_name, "sleep", "100000", options=options)

        names = list(pool.map(start, range(PARALLEL)))
        assert len(docker("ps", "-q").split()) == PARALLEL
        addresses = docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", *names).split()
        assert len(set(addresses)) == PARALLEL
        list(pool.map(lambda name: docker("rm", "-f", name), names))
    assert docker("ps", "-aq") == ""
    assert docker("network", "inspect", "-f", "{{len .Containers}}", "bridge") == "0"
    engine.stop()  # takes the bridge away, which is all that may be there still
    assert engine.leftovers() == {}
    engine.start()


def ticks(pid: int) -> int:
    """Clock ticks a process has used (proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def resident(pid: int) -> int:
    """Bytes of memory a process holds."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) << 10


def test_500_running_containers_cost_the_engine_little(engine: Pydd, docker: Docker):
    image_name = image(docker)
    with ThreadPoolExecutor(WORKERS) as pool:

        def start(number: int) -> str:
            return docker.run(f"m{number}", image_name, "sleep", "100000", options=("--network", "none"))

        names = list(pool.map(start, range(RUNNING)))
        assert engine.process is not None
        pid = engine.process.pid
        before = ticks(pid)
        time.sleep(WATCHED)
        used = (ticks(pid) - before) / os.sysconf("SC_CLK_TCK") / WATCHED
        memory = resident(pid)
        print(f"\n{RUNNING} running: {memory / 1e6:.0f} MB, {used:.2%} of a processor idle")  # noqa: T201 - figures for those who run this
        assert memory <= 200e6
        assert used <= 0.02
        list(pool.map(lambda name: docker("rm", "-f", name), names))
    assert docker("ps", "-aq") == ""
