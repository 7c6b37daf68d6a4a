"""Two engines in one list, by keyboard alone: Docker Engine and an embedded one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.docker import LONE, Docker, busybox_files
from support.pydd import Pydd
from support.terminal import Opener

SAYS = ("sh", "-c")


@pytest.fixture
def embedded() -> Iterator[tuple[Pydd, Docker]]:
    """An embedded engine of this test's own, and a corner of it."""
    with Pydd.started() as engine, Docker(host=engine.host) as corner:
        yield engine, corner


def shell(corner: Docker) -> str:
    return corner.image("shell", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp",))


def test_rows_of_two_engines_are_filtered_read_and_stopped_each_at_its_own_and_outlive_a_lost_one(
    embedded: tuple[Pydd, Docker], docker: Docker, pyd: Path, terminal: Opener
):
    engine, there = embedded
    here = docker.run("here", shell(docker), *SAYS, "echo I am here; exec sleep 1000", options=LONE)
    away = there.run("away", shell(there), *SAYS, "echo I am away; exec sleep 1000", options=LONE)
    stays = there.run("stays", shell(there), *SAYS, "exec sleep 1000", options=LONE)
    screen = terminal([pyd, "-H", "unix:///var/run/docker.sock", "-H", engine.host], size=(160, 40))
    screen.wait_for(re.compile(rf"running +{here}"))
    assert away not in screen.text()
    screen.keys("M")
    screen.wait_for("ENGINE")
    screen.wait_for("2 engines")
    screen.wait_for(re.compile(rf"running +{away} +\S*sock"))

    screen.keys("/")
    screen.type(away)
    screen.keys("Enter")
    screen.wait_for("I am away")
    screen.keys("Space", "Escape", "/")
    screen.type(here)
    screen.keys("Enter")
    screen.wait_for("I am here")
    screen.keys("Escape", "/")
    screen.type("!" + stays)
    screen.keys("Enter")
    screen.wait_for(re.compile(rf"running +{away}"))

    screen.keys("Escape", "/")
    screen.type(away)
    screen.keys("Enter", "s")
    screen.wait_for(f"stopped {away} on")
    assert there.inspect(away)["State"]["Running"] is False
    assert docker.inspect(here)["State"]["Running"] is True

    screen.keys("Escape", "/")
    screen.type(stays)
    screen.keys("Enter")
    screen.wait_for(re.compile(rf"running +{stays}"))
    engine.stop()
    screen.wait_for(re.compile(rf"running +{stays} +\S+ \d+s"))
    screen.keys("Escape", "/")
    screen.type(here)
    screen.keys("Enter")
    screen.wait_for("I am here")
    screen.keys("r")
    screen.wait_for(f"restarted {here} on")
    engine.start()
    screen.wait_for("connected again")
    screen.keys("C-c")
    assert screen.wait_exit() == 0
