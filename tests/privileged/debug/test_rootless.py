"""Containers of a Podman without root, entered by its own user and by root."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.debugging import command
from support.docker import LONE, Docker, busybox_files
from support.rootless import Rootless, rootless


@pytest.fixture(scope="module")
def podman() -> Iterator[Rootless]:
    with rootless() as engine:
        yield engine


@pytest.fixture(scope="module")
def corner(podman: Rootless) -> Iterator[Docker]:
    with podman.corner() as docker:
        yield docker


def test_its_user_enters_without_root_and_leaves_nothing(podman: Rootless, corner: Docker, sleeper: Path):
    image = corner.image("app", {"app": sleeper}, 'CMD ["/app"]')
    name = corner.run("quiet", image, options=("--read-only", *LONE))
    before = corner("diff", name)  # what Podman itself made for its mounts
    done = podman.way.debug(name, "-c", "cat; ls /app; id -u; head -1 /proc/self/uid_map; exit 7", stdin=b"in\n")
    assert done.stdout.split() == [b"in", b"/app", b"0", b"0", str(podman.uid).encode(), b"1"]
    assert done.returncode == 7, done.stderr
    assert corner("diff", name) == before
    stopped = corner.create("stopped", image, options=LONE)
    assert podman.way.debug(stopped, "-c", "ls /app").stdout == b"/app\n"
    assert sorted(corner("ps", "-a", "--format", "{{.Names}}").split()) == sorted([name, stopped])
    as_root = command(name, "-c", "ls /app", host=podman.way.host)
    assert subprocess.run(as_root, capture_output=True, check=False, timeout=60).stdout == b"/app\n"


def test_changes_in_a_stand_in_are_put_back_and_saved(podman: Rootless, corner: Docker):
    image = corner.image("tools", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    name = corner.create("edited", image, "cat", "/etc/new", options=LONE)
    saved = f"localhost/{corner.name('saved')}:1"
    line = "echo new > /etc/new; ln -s new /etc/link; rm /bin/vi"
    done = podman.way.debug("--diff", "--apply", "/etc", "--save", saved, name, "-c", line)
    try:
        assert done.returncode == 0, done.stderr
        assert {"A /etc/new", "A /etc/link", "D /bin/vi"} <= set(done.stdout.decode().splitlines())
        assert corner("start", "-a", name) == "new"
        line = "cat /etc/link; ls /bin/vi /.pyd-holder"
        assert corner("run", "--rm", *LONE, saved, "sh", "-c", f"{line} || true").strip() == "new"
    finally:
        corner("rmi", "-f", saved, check=False)
