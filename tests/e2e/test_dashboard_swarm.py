"""The views of a swarm and its logs, by keyboard, on an engine that manages one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.docker import Docker, busybox_files
from support.swarm import SwarmHost
from support.terminal import Opener

TALK = 'echo "says replica $SLOT"; echo "level=error msg=lost" >&2; exec sleep 1000'


@pytest.fixture
def swarm() -> Iterator[Docker]:
    """A swarm of one node with a service of two tasks."""
    with SwarmHost() as host:
        docker = Docker(host.url)
        docker("swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1:2377")
        image = docker.image("shell", busybox_files())
        service = ("--name", "shop_talker", "--replicas", "2", "--network", "host", "--env", "SLOT={{.Task.Slot}}")
        docker("service", "create", "--quiet", "--no-resolve-image", *service, image, "sh", "-c", TALK)
        yield docker


def test_the_logs_of_a_service_are_those_of_all_its_tasks(swarm: Docker, pyd: Path, terminal: Opener):
    screen = terminal([pyd, "--host", swarm.host])
    screen.wait_for("7 Services", bound=60)
    screen.keys("7")
    screen.wait_for(re.compile(r"shop_talker +2/2"), bound=60)
    screen.keys("l")
    screen.wait_for("says replica 1")
    screen.wait_for("says replica 2")
    screen.wait_for("shop_talker  2 tasks")
    screen.keys("&")
    screen.type("replica 2")
    screen.keys("Enter")
    screen.wait_gone("says replica 1")
    assert "shop_talker.2" in screen.screen
    screen.keys("q", "8")
    screen.wait_for(re.compile(r"● running +shop_talker\.1 +\S+ +running"))
    screen.keys("/")
    screen.type("talker.1")
    screen.keys("Enter", "l")
    screen.wait_for("Logs   shop_talker.1")
    screen.wait_for("says replica 1")
    screen.keys("q", "7")
    screen.wait_for(re.compile(r"shop_talker +2/2"))
    swarm("service", "scale", "--detach", "shop_talker=1")
    screen.wait_for(re.compile(r"shop_talker +1/1"), bound=60)
    screen.keys("C-c", "C-c")
    assert screen.wait_exit() == 0
