"""Logs in several files: the same on Docker Engine and on the embedded one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from support.docker import LONE, Docker, busybox_files
from support.pydd import Pydd
from support.staging import wait_until

BLOCKS, LINES, LIMIT = 8, 400, 10_000
"""A block of lines is longer than a file may be."""
TALKER = f"mkfifo /tmp/go; i=0; while read word < /tmp/go; do i=$((i+1)); seq 1 {LINES} | sed s/^/$i-/; done"
LIMITS = ("--log-opt", f"max-size={LIMIT // 1000}k", "--log-opt", "max-file=3")


@pytest.fixture(scope="module")
def image(both: Docker) -> str:
    return both.image("talker", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))


def said(blocks: int) -> list[str]:
    return [f"{block}-{line}" for block in range(1, blocks + 1) for line in range(1, LINES + 1)]


def talk(docker: Docker, name: str, block: int) -> None:
    """Has it print one more block, and waits until the engine has begun a new file."""
    docker("exec", name, "sh", "-c", "echo go > /tmp/go")
    wait_until(lambda: docker("logs", "--tail", "1", name) == f"{block}-{LINES}")
    log = Path(docker.inspect(name)["LogPath"])
    wait_until(lambda: log.exists() and log.stat().st_size < LIMIT)


def ready(docker: Docker, name: str) -> None:
    wait_until(lambda: docker("exec", name, "ls", "/tmp") == "go")


def test_a_log_in_several_files_is_read_as_one_and_the_oldest_go(both: Docker, image: str):
    name = both.run("talker", image, "sh", "-c", TALKER, options=(*LONE, *LIMITS))
    ready(both, name)
    for block in range(1, BLOCKS + 1):
        talk(both, name, block)
    log = Path(both.inspect(name)["LogPath"])
    assert sorted(each.name for each in log.parent.glob(f"{log.name}*")) == [
        log.name,
        f"{log.name}.1",
        f"{log.name}.2",
    ]
    kept = both("logs", name).split()
    assert LINES / 4 < len(kept) < BLOCKS * LINES
    assert kept == said(BLOCKS)[-len(kept) :]
    for count in (1, 10, len(kept) - 1):
        assert both("logs", "--tail", str(count), name).split() == kept[-count:]
    both("rm", "-f", name)


def test_who_follows_a_log_is_told_all_of_it_however_often_a_new_file_is_begun(docker: Docker, busybox: str):
    """On the embedded engine alone: Docker Engine leaves lines out where files change this fast."""
    name = docker.run("followed", busybox, "sh", "-c", TALKER, options=(*LONE, *LIMITS))
    ready(docker, name)
    following = subprocess.Popen(["docker", "-H", docker.host, "logs", "-f", name], stdout=subprocess.PIPE, text=True)
    assert following.stdout is not None
    heard = []
    for block in range(1, BLOCKS + 1):
        talk(docker, name, block)
        heard += [following.stdout.readline().strip() for _ in range(LINES)]
    docker("rm", "-f", name)
    heard += following.communicate(timeout=60)[0].split()
    assert heard == said(BLOCKS)


def test_a_log_goes_on_in_several_files_after_the_engine_was_killed(pydd: Pydd, docker: Docker, busybox: str):
    name = docker.run("outlives", busybox, "sh", "-c", TALKER, options=(*LONE, *LIMITS))
    ready(docker, name)
    talk(docker, name, 1)
    log = Path(docker.inspect(name)["LogPath"])
    pydd.kill()
    log.rename(f"{log}.1")  # it was killed in the middle
    pydd.start()
    wait_until(log.exists)
    talk(docker, name, 2)
    kept = docker("logs", name).split()
    assert kept == said(2)[-len(kept) :]
    docker("rm", "-f", name)


@pytest.mark.parametrize("option", ["max-file=0", "max-file=x", "max-size=0", "max-size=many"])
def test_limits_of_a_log_that_make_no_sense_are_refused(both: Docker, image: str, option: str):
    more = ("--log-opt", "max-size=1m") if option.startswith("max-file") else ()
    name = both.name("senseless")
    command = ["docker", "-H", both.host, "run", "-d", "--name", name, *more, "--log-opt", option, image, "true"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 125
    both("rm", "-f", name, check=False)
