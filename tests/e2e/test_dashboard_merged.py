"""Two engines in one list, by keyboard alone: Docker Engine and an embedded one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from support.docker import LONE, Docker, busybox_files
from support.pydd import Pydd
from support.terminal import Opener, Terminal

SAYS = ("sh", "-c")


@pytest.fixture
def embedded() -> Iterator[tuple[Pydd, Docker]]:
    """An embedded engine of this test's own, and a corner of it."""
    with Pydd.started() as engine, Docker(host=engine.host) as corner:
        yield engine, corner


def shell(corner: Docker) -> str:
    return corner.image("shell", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp",))


def narrow(screen: Terminal, text: str, count: int) -> None:
    """Replace the filter."""
    screen.keys("Escape")
    screen.wait_gone("esc shows all")
    screen.keys("/")
    screen.type(text)
    screen.keys("Enter")
    screen.wait_for(re.compile(rf"\b{count} of \d+ +esc shows all"))


def test_rows_of_two_engines_are_read_and_acted_on_each_at_its_own_and_outlive_a_lost_one(
    embedded: tuple[Pydd, Docker], docker: Docker, pyd: Path, terminal: Opener
):
    engine, there = embedded
    token = f"m{uuid4().hex[:8]}"
    here = docker.run(f"{token}-here", shell(docker), *SAYS, "echo I am here; exec sleep 1000", options=LONE)
    away = there.run(f"{token}-away", shell(there), *SAYS, "echo I am away; exec sleep 1000", options=LONE)
    both = (docker, here), (there, away)
    screen = terminal([pyd, "-H", "unix:///var/run/docker.sock", "-H", engine.host], size=(160, 40))
    screen.wait_for("live")
    screen.keys("M")
    screen.wait_for("2 engines")
    narrow(screen, token, 2)
    assert re.search(rf"running +{here} +docker\.sock", screen.screen), screen.screen
    assert re.search(rf"running +{away} +pyd\.sock", screen.screen), screen.screen

    screen.keys("*", "l")
    screen.wait_for("2 containers")
    screen.wait_for("I am here")
    screen.wait_for("I am away")
    screen.keys("q")
    screen.wait_for("esc shows all")
    screen.keys("x")
    screen.wait_for(f"{here} on docker.sock")
    screen.wait_for(f"{away} on pyd.sock")
    screen.keys("n", "p", "y")
    screen.wait_for("paused 2")
    assert [corner.inspect(name)["State"]["Paused"] for corner, name in both] == [True, True]
    screen.keys("*", "p", "y")
    for _, name in both:
        screen.wait_for(re.compile(rf"running +{name}"))
    screen.wait_for("resumed 2")
    assert [corner.inspect(name)["State"]["Paused"] for corner, name in both] == [False, False]

    narrow(screen, here, 1)
    screen.wait_for("I am here")
    screen.keys("r", "y")
    screen.wait_for(f"restarted {here} on docker.sock")
    narrow(screen, token, 2)
    engine.stop()
    screen.wait_for(re.compile(rf"running +{away} +pyd\.sock \(\d+[sm] old\)"))
    screen.wait_for(re.compile(rf"running +{here} +docker\.sock +\D"))
    engine.start()
    screen.wait_for("pyd.sock: connected again")
    narrow(screen, away, 1)
    screen.keys("K")
    screen.wait_for(": kill")
    screen.keys("Enter")
    screen.wait_for(re.compile(rf"exited 137 +{away}"))
    assert [corner.inspect(name)["State"]["Running"] for corner, name in both] == [True, False]
    screen.keys("C-c", "C-c")
    assert screen.wait_exit() == 0
