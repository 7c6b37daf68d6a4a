"""The dashboard on the embedded engine, by keyboard alone, as on Docker Engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.docker import LONE, Docker, busybox_files
from support.pyd import Run
from support.pydd import Pydd
from support.terminal import Opener

BREAKS_ONCE = "[ -e /tmp/tried ] && exec sleep 1000; : > /tmp/tried; echo 'level=error msg=\"disk is full\"'; exit 3"


@pytest.fixture
def embedded() -> Iterator[Docker]:
    """A corner of an embedded engine of this test's own."""
    with Pydd.started() as engine, Docker(host=engine.host) as corner:
        yield corner


def test_the_broken_one_is_found_understood_restarted_measured_and_removed(
    embedded: Docker, pyd: Path, terminal: Opener
):
    image = embedded.image("shell", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp",))
    well = embedded.run("well", image, "sh", "-c", "echo at work; exec sleep 1000", options=LONE)
    broken = embedded.run("broken", image, "sh", "-c", BREAKS_ONCE, options=LONE)
    embedded("wait", broken)
    screen = terminal([pyd, "--host", embedded.host], size=(160, 40))
    screen.wait_for(re.compile(rf"running +{well}"))
    screen.wait_for("at work")
    screen.keys("!")
    screen.wait_for(re.compile(rf"exited 3 +{broken}"))
    screen.wait_for("1 of 2")
    screen.keys("w")
    screen.wait_for("What to do")
    screen.keys("q")
    screen.wait_for("esc shows all")
    screen.keys("l")
    screen.wait_for("disk is full")
    screen.keys("q")
    screen.wait_for("esc shows all")
    screen.keys("r", "!")
    screen.wait_for(re.compile(rf"running +{broken} .*\d[KM]"))  # its memory: figures come from this engine's cgroups
    screen.keys("V")
    screen.wait_for(re.compile(rf"start.*{broken}"))
    screen.keys("2")
    screen.wait_for(image)
    screen.keys("1")
    screen.keys("/")
    screen.type(broken)
    screen.keys("Enter", "x")
    screen.wait_for(re.compile(r"remove.*\?", re.IGNORECASE))
    screen.keys("y")
    screen.wait_for(f"removed {broken}")
    assert embedded("ps", "-a", "--format", "{{.Names}}") == well
    screen.keys("C-c", "C-c")
    assert screen.wait_exit() == 0


def test_an_empty_engine_offers_the_demo_by_one_key(embedded: Docker, pyd: Path, terminal: Opener, run: Run):
    """An engine without containers showed a sentence and no way on."""
    screen = terminal([pyd], env={"DOCKER_HOST": embedded.host})
    screen.wait_for("d starts a demo")
    screen.keys("d")
    try:
        screen.wait_for("brought up 5 containers")
        screen.wait_for(re.compile(r"running +pyd-demo-web"))
        screen.keys("d")
        assert "starts a demo" not in screen.screen
    finally:
        run("demo", "down", DOCKER_HOST=embedded.host)
    screen.wait_for("d starts a demo")
