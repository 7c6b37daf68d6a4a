"""The target's working directory as a way out: a link of its own to a descriptor of the host's (CVE-2024-21626)."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.attacks import EVERY, STATES, Lab, Marker

LAST_NUMBER = 40
USUAL = (3, 4, 6, 7, 8, 9, 11, 13, 14)
"""Descriptors that a session had at hand when its working directory was resolved, in one version or another."""
NUMBERS = range(3, LAST_NUMBER + 1) if EVERY else USUAL

WAYS = {
    "absolute": "/proc/self/fd/{}",
    "relative": "proc/self/fd/{}",
    "thread": "/proc/thread-self/fd/{}",
    "task": "/proc/self/task/../fd/{}",
    "first process": "/proc/1/fd/{}",
    "device": "/dev/fd/{}",
    "above": "/proc/self/fd/{}/..",
}


def relink(path: Path, target: str) -> None:
    """Make a link, in the place of what is there."""
    if path.is_symlink():
        path.unlink()
    else:
        path.rmdir()
    path.symlink_to(target)


def climb(lab: Lab, target: str, marker: Marker, identity: str) -> None:
    """Look for the marker above the working directory of a session."""
    done = lab.debug(target, "--", "/bin/climb", str(marker.path), identity=identity)
    marker.assert_unreached(done.stdout)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("cwd /"), done.stdout


@pytest.mark.parametrize("identity", ["root", "target", "1000"])
def test_a_link_to_any_descriptor_leads_nowhere(lab: Lab, marker: Marker, identity: str):
    """A working directory of `/proc/self/fd/N` gave a session the host's directory that was open under that number."""
    name = lab.start("cwd", "sh", "-c", "cd /; exec sleep 100000", options=("-w", "/srv"))
    path = lab.root(name) / "srv"
    marker.path.chmod(0o666)  # within reach of every user who gets there
    for number in NUMBERS if EVERY or lab.engine == "docker" else (3, 9, 13):
        relink(path, f"/proc/self/fd/{number}")
        climb(lab, name, marker, identity)


@pytest.mark.parametrize("way", WAYS)
def test_a_link_by_any_way_leads_nowhere(docker_lab: Lab, marker: Marker, way: str):
    name = docker_lab.start("cwd-way", "sh", "-c", "cd /; exec sleep 100000", options=("-w", "/srv"))
    path = docker_lab.root(name) / "srv"
    for number in (3, 9, 13):
        relink(path, WAYS[way].format(number))
        climb(docker_lab, name, marker, "root")


def test_a_chain_of_links_leads_nowhere(docker_lab: Lab, marker: Marker):
    name = docker_lab.start("cwd-chain", "sh", "-c", "cd /; exec sleep 100000", options=("-w", "/srv/below/again"))
    root = docker_lab.root(name)
    (root / "srv/below/again").rmdir()
    (root / "srv/below").rmdir()
    (root / "a").symlink_to("b/c")
    (root / "b").symlink_to("/proc/self")
    for number in (3, 9, 13):
        for last in (f"/proc/self/fd/{number}", "/a"):
            relink(root / "srv", "/proc/self")
            with_fd = root / "c"
            with_fd.unlink(missing_ok=True)
            with_fd.symlink_to(last)
            (root / "srv").unlink()
            (root / "srv").mkdir()
            (root / "srv/below").symlink_to("/b/fd")
            climb(docker_lab, name, marker, "root")
            (root / "srv/below").unlink()


@pytest.mark.parametrize("identity", ["root", "target"])
@pytest.mark.parametrize("state", STATES[1:])
def test_a_link_in_an_image_leads_nowhere(lab: Lab, marker: Marker, state: str, identity: str):
    """The same for what doesn't run, whose link comes with the image."""
    for number in NUMBERS if EVERY else (3, 9, 13):
        image = lab.build(f"cwd{number}", {"linked": f"-> /proc/self/fd/{number}"}, "WORKDIR /linked")
        target = lab.target(state, f"cwd{number}", image)
        climb(lab, target, marker, identity)


@pytest.mark.parametrize("path", ["/proc/self/fd/13", "/proc/self/cwd", "/proc/self/root", "/proc/1/cwd", "/dev/fd/9"])
def test_a_working_directory_that_is_such_a_path_leads_nowhere(docker_lab: Lab, marker: Marker, path: str):
    image = docker_lab.build("cwd-path", {}, f"WORKDIR {path}")
    climb(docker_lab, f"image:{image}", marker, "root")


def test_a_home_that_is_such_a_path_leads_nowhere(docker_lab: Lab, marker: Marker):
    users = "".join(f"u{n}:x:0:0::/proc/self/fd/{n}:/bin/sh\n" for n in USUAL)
    image = docker_lab.build("home", {"etc/passwd": f"root:x:0:0::/proc/self/fd/13:/bin/sh\n{users}"}, "USER u9")
    for state in ("running", "image"):
        target = docker_lab.target(state, "home", image)
        done = docker_lab.debug(target, "-c", f"cd ~ && /bin/climb {marker.path}", identity="root")
        marker.assert_unreached(done.stdout)
