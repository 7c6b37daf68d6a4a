"""The same on Podman, whose layers can be mounted with one storage driver and not with another."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator

import pytest

from support.debugging import command
from support.docker import LONE, Docker, busybox_files
from support.missing import missing
from support.podman import Podman

Far = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module", params=["vfs", "overlay"])
def podman(request: pytest.FixtureRequest) -> Iterator[Podman]:
    """A service with a store of one kind."""
    if shutil.which("podman") is None:
        missing("podman")
    with Podman(storage=request.param) as service:
        yield service


@pytest.fixture(scope="module")
def corner(podman: Podman) -> Iterator[Docker]:
    """A corner of it."""
    with podman.corner() as docker:
        yield docker


@pytest.fixture(scope="module")
def stopped(corner: Docker) -> str:
    """A container that has written something and ended."""
    image = corner.image("busybox", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    name = corner.create("stopped", image, "sh", "-c", "echo own > /etc/own", options=(*LONE, "-e", "A=b"))
    corner("start", "-a", name)
    return name


@pytest.fixture
def debug(podman: Podman) -> Far:
    """Run `pyd debug` on it."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        line = command(*arguments, host=podman.url)
        return subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)

    return run


def test_a_stopped_container_is_entered(debug: Far, podman: Podman, stopped: str):
    done = debug(stopped, "-c", "cat /etc/own; echo $A; ip -o link | wc -l; ps -e -o pid= | head -1")
    assert done.stdout.split() == ["own", "b", "1", "1"]
    assert ("copied first" in done.stderr) == (podman.storage == "vfs")


def test_a_change_is_put_back(debug: Far, stopped: str):
    done = debug("--diff", "--apply", "/etc/new", stopped, "-c", "echo new > /etc/new; echo x > /etc/other")
    assert done.stdout.split() == ["A", "/etc/new", "A", "/etc/other"]
    assert debug(stopped, "-c", "cat /etc/new; ls /etc/other").stdout == "new\n"


def test_a_saved_image_has_the_changes(debug: Far, corner: Docker, stopped: str):
    saved = f"{corner.name('saved')}:1"
    assert debug("--save", saved, stopped, "-c", "rm /etc/own; echo mine > /etc/mine").returncode == 0
    done = debug(f"image:{saved}", "-c", "cat /etc/mine; ls /etc/own")
    assert done.stdout == "mine\n"
    assert done.returncode != 0
    corner("rmi", "-f", saved)


def test_a_clone_is_held_and_removed(debug: Far, corner: Docker, stopped: str):
    before = corner("ps", "-aq")
    assert debug("--hold", stopped, "-c", "echo $A").stdout == "b\n"
    assert corner("ps", "-aq") == before
