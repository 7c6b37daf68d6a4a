"""Signals to single processes of a container of this machine's engine."""

from __future__ import annotations

import os
import subprocess

import pytest

from pyd_core.client.engine_choice import choose_endpoint
from pyd_core.client.engine_client import EngineClient
from pyd_core.client.process_signals import signal_process
from pyd_core.client.transport.blocking import blocking_engine, run_now
from pyd_core.errors import Conflict, InvalidInput, NotFound
from support.docker import LONE, Docker
from support.staging import wait_until


def client() -> EngineClient:
    return blocking_engine(choose_endpoint(host="unix:///var/run/docker.sock"))


def children(docker: Docker, name: str) -> list[int]:
    """The pids of all but the main process."""
    main = docker.inspect(name)["State"]["Pid"]
    top = run_now(client().containers.top(name, ps_args="-eo pid,args"))
    return [int(pid) for pid, *_ in top.processes if int(pid) != main]


@pytest.fixture
def family(docker: Docker, busybox: str) -> str:
    """A container whose main process says how its child ended."""
    script = "sleep 1000 & wait $!; echo child ended with $?; exec sleep 1000"
    name = docker.run("family", busybox, "sh", "-c", script, options=LONE)
    wait_until(lambda: children(docker, name) != [])
    return name


def test_a_child_gets_the_signal_and_the_main_process_lives_on(docker: Docker, family: str) -> None:
    (child,) = children(docker, family)
    run_now(signal_process(client(), family, child, "KILL"))
    with subprocess.Popen(["docker", "logs", "-f", family], stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        assert following.stdout.readline() == "child ended with 137\n"
        following.terminate()
    assert docker.inspect(family)["State"]["Running"]


def test_a_process_of_somebody_else_gets_nothing(docker: Docker, family: str, busybox: str) -> None:
    other = docker.run("other", busybox, "sh", "-c", "sleep 1000 & wait", options=LONE)
    wait_until(lambda: children(docker, other) != [])
    (child,) = children(docker, other)
    for pid in (child, os.getpid()):
        with pytest.raises(NotFound, match=f"process {pid} isn't one of this container's"):
            run_now(signal_process(client(), family, pid, "KILL"))
    assert children(docker, other) == [child]


def test_the_main_process_gets_it_from_the_engine_and_one_that_ended_none(docker: Docker, family: str) -> None:
    main = docker.inspect(family)["State"]["Pid"]
    with pytest.raises(InvalidInput):
        run_now(signal_process(client(), family, main, "NOPE"))
    run_now(signal_process(client(), family, main, "sigkill"))
    assert docker("wait", family) == "137"
    with pytest.raises(Conflict):
        run_now(signal_process(client(), family, main, "KILL"))
