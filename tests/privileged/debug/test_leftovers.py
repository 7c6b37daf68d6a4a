"""Nothing stays behind, however a session ends."""

from __future__ import annotations

import contextlib
import os
import random
import select
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyd_core.debug.toolbox import store
from support.debugging import Run, command, main_pid, sessions_left
from support.docker import Docker
from support.staging import wait_until

BOUND_S = 120
"""Seconds in which a dying process is gone, also on a busy machine."""


def members(docker: Docker, name: str) -> list[int]:
    """Processes in the container's pid namespace, once those that are just dying are gone."""
    main = main_pid(docker, name)
    namespace = Path(f"/proc/{main}/ns/pid").readlink()
    pids = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if not entry.name.isdigit() or (entry / "ns/pid").readlink() != namespace:
                continue
            if int(entry.name) == main or not has_ended(int(entry.name)):
                pids.append(int(entry.name))
    return pids


def has_ended(pid: int) -> bool:
    """Return whether a process ends within moments: a keeper whose supervisor was killed ends what it keeps."""
    descriptor = os.pidfd_open(pid)
    try:
        return bool(select.select([descriptor], [], [], BOUND_S)[0])
    finally:
        os.close(descriptor)


def wait_for_end(process: subprocess.Popen[bytes]) -> None:
    """Wait until every process that holds the session's output has ended."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], BOUND_S)
    assert ready, "a process still holds the session's output"
    process.stdout.read()


@pytest.mark.timeout(900)  # on a busy machine
def test_two_hundred_sessions_twenty_of_them_killed_leave_nothing(docker: Docker, distroless: str):
    name = docker.run("often", distroless, options=("--read-only",))
    pid = main_pid(docker, name)
    mounts = Path(f"/proc/{pid}/mountinfo").read_text()
    dice = random.Random(20)
    killed = set(dice.sample(range(200), 20))
    for number in range(200):
        if number not in killed:
            done = subprocess.run(command(name, "-c", "true"), stdin=subprocess.DEVNULL, timeout=60, check=False)
            assert done.returncode == 0
            continue
        arguments = command(name, "-c", "sleep 1000 & setsid -f sleep 1000; sleep 1000")
        with subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            # Any moment of a session's life, from the interpreter's start to the running command.
            try:
                process.wait(dice.uniform(0.02, 0.4))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            wait_for_end(process)
    # The next session removes what a killed supervisor could not; one more, as any user's next would.
    subprocess.run(command(name, "-c", "true"), stdin=subprocess.DEVNULL, timeout=60, check=True)
    assert members(docker, name) == [pid]
    assert sessions_left() == []
    assert Path(f"/proc/{pid}/mountinfo").read_text() == mounts
    assert store.store_root() not in Path("/proc/self/mountinfo").read_text()
    assert docker("diff", name) == ""


def test_what_runs_in_the_background_ends_with_the_session(debug: Run, docker: Docker, distroless: str):
    name = docker.run("background", distroless)
    done = debug(name, "-c", "setsid -f sleep 1000 >/dev/null 2>&1; (sleep 1000 >/dev/null 2>&1 &); echo started")
    assert done.stdout == "started\n"
    assert members(docker, name) == [main_pid(docker, name)]
    assert sessions_left() == []


@contextlib.contextmanager
def a_session(name: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A session whose command runs: its client, and the pid of its supervisor."""
    arguments = command(name, "-c", "echo ready; sleep 1000")
    with subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        try:
            yield process, int(child)
            process.wait(30)
        finally:
            process.kill()


def test_a_killed_supervisors_cgroups_are_removed_by_its_client(docker: Docker, distroless: str):
    name = docker.run("widowed", distroless)
    with a_session(name) as (_, supervisor):
        os.kill(supervisor, signal.SIGKILL)
    assert sessions_left() == []
    assert members(docker, name) == [main_pid(docker, name)]


def test_those_of_a_supervisor_killed_with_its_client_are_removed_by_the_next_session(
    debug: Run, docker: Docker, distroless: str
):
    name = docker.run("orphaned", distroless)
    with a_session(name) as (client, supervisor):
        client.send_signal(signal.SIGSTOP)
        os.kill(supervisor, signal.SIGKILL)
        client.kill()
    wait_until(lambda: sessions_left(patience=0) != [])  # init reaps the killed supervisor
    assert debug(name, "-c", "true").returncode == 0
    assert sessions_left() == []
    assert members(docker, name) == [main_pid(docker, name)]


def test_a_session_that_never_is_leaves_no_cgroup(debug: Run, docker: Docker):
    assert debug(docker.name("nobody"), "-c", "true").returncode == 125
    assert sessions_left() == []


def test_histories_are_not_written(debug: Run, docker: Docker, busybox: str):
    name = docker.run(
        "histories",
        busybox,
        "sleep",
        "1000",
        options=(
            "-e",
            "HOME=/etc",
        ),
    )
    before = docker("diff", name)
    done = debug(
        name, "-c", "printf 'history\\nexit\\n' | bash -i 2>/dev/null; printf ':q\\n' | vim -es /etc/hosts; true"
    )
    assert done.returncode == 0
    assert docker("diff", name) == before
