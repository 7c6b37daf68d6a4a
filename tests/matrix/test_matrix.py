"""Kinds of containers in all states, on all engines, entered all ways: a prompt, a known file, nothing left behind.

`nox -s matrix` runs all of it and writes `docs/debug-matrix.md`.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from matrix.targets import KINDS, KNOWN, images
from pyd_core.debug.helper.container import LABEL
from support.docker import Docker
from support.podman import Podman
from support.rootless import rootless
from support.ways import SOCKET, Way, as_user

STATES = ("running", "paused", "exited", "created", "restarting", "image")
WAYS = ("Docker, root", "Docker, helper", "Podman, root", "Podman, rootless")

FIRST_OF_IMAGE = {kind.image: name for name, kind in reversed(KINDS.items())}
"""An image is the same whatever its containers are started with."""

CELLS = [
    (kind, state, way)
    for kind, state, way in itertools.product(KINDS, STATES, WAYS)
    if state != "image" or kind in FIRST_OF_IMAGE.values()
]

CANNOT = {
    ("20 MB limit", "Podman, rootless"): "no limits without root on cgroup v1",
    ("--init", "Podman, root"): "its init isn't installed",
    ("--init", "Podman, rootless"): "its init isn't installed",
    ("restarting", "Podman, root"): "it restarts without a pause",
    ("restarting", "Podman, rootless"): "it restarts without a pause",
    ("paused", "Podman, rootless"): "no freezer without root on cgroup v1",
}
"""What an engine can't have on this machine, and why."""


@dataclass(frozen=True)
class Place:
    """An engine, the images on it, and how pyd is called for it."""

    docker: Docker
    way: Way
    images: dict[str, str]


@pytest.fixture(scope="session")
def places(sleeper: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Place]]:
    home = tmp_path_factory.mktemp("home")
    with ExitStack() as stack:
        docker = stack.enter_context(Docker())
        made = images(docker, sleeper)
        podman = stack.enter_context(Podman(storage="overlay"))
        theirs = stack.enter_context(podman.corner())
        unprivileged = stack.enter_context(rootless())
        rootless_docker = stack.enter_context(unprivileged.corner())
        yield {
            "Docker, root": Place(docker, Way("root"), made),
            "Docker, helper": Place(docker, Way("user", before=as_user(SOCKET, home)), made),
            "Podman, root": Place(theirs, Way("root", podman.url), images(theirs, sleeper)),
            "Podman, rootless": Place(rootless_docker, unprivileged.way, images(rootless_docker, sleeper)),
        }


@pytest.fixture(scope="session")
def crashing(places: dict[str, Place]) -> dict[tuple[str, str], str]:
    """Containers that crash again and again, begun before they are needed: the pauses between restarts have to grow."""
    found: dict[tuple[str, str], str] = {}
    for kind, state, way in CELLS:
        if state == "restarting" and not (CANNOT.get((kind, way)) or CANNOT.get((state, way))):
            place, wanted = places[way], KINDS[kind]
            options = ("--restart", "always", *wanted.options)
            found[kind, way] = place.docker.run("m", place.images[wanted.image], "/crash", options=options)
    return found


@pytest.fixture(scope="session")
def table() -> Iterator[dict[tuple[str, str, str], str]]:
    """What came of each cell; written at the end if `PYD_MATRIX` names a file."""
    found: dict[tuple[str, str, str], str] = {}
    yield found
    if (path := os.environ.get("PYD_MATRIX")) and len(found) == len(CELLS):
        Path(path).write_text(_page(found))


def _page(found: dict[tuple[str, str, str], str]) -> str:
    lines = [
        "# What the debug shell is tried on",
        "",
        "Written by `nox -s matrix`. Each cell is a container of that kind in that state on a real engine, entered",
        "that way: the shell ran, a known file had its content, `docker diff` and the target's mounts were as before,",
        "and nothing was left. *Docker, helper* is a user in the engine's group who isn't root.",
        "",
        f"| container | state | {' | '.join(WAYS)} |",
        f"|---|---|{'---|' * len(WAYS)}",
    ]
    for kind, state in dict.fromkeys((kind, state) for kind, state, _ in CELLS):
        cells = [found[kind, state, way] for way in WAYS]
        lines.append(f"| {kind} | {state} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("cell", CELLS, ids=" · ".join)
def test_cell(
    places: dict[str, Place],
    crashing: dict[tuple[str, str], str],
    table: dict[tuple[str, str, str], str],
    cell: tuple[str, str, str],
):
    kind, state, way = cell
    reason = CANNOT.get((kind, way)) or CANNOT.get((state, way))
    table[kind, state, way] = f"({reason})" if reason else "**no**"
    if reason:
        return
    place, wanted = places[way], KINDS[kind]
    image = place.images[wanted.image]
    if state == "image":
        name = f"image:{image}"
    elif state == "restarting":
        name = crashing[kind, way]
        _wait_for_a_pause(place.docker, name)
    else:
        name = _container(place.docker, image, wanted.options, state)
    before = _difference(place.docker, name)
    mounts = _mounts(place.docker, name) if state != "restarting" else ""
    done = place.way.debug(name, "-c", '@cat /known; echo "[$?]"; @id -u')
    assert done.stdout.decode() == f"{KNOWN}[0]\n0\n", done.stderr.decode()
    assert done.returncode == 0
    assert _difference(place.docker, name) == before
    if state != "restarting":  # it may just run, or not
        assert _mounts(place.docker, name) == mounts
    assert _left(place.docker, name, image) == []
    if state != "image":
        place.docker("rm", "-f", "-v", name)
    table[kind, state, way] = "yes"


def _container(docker: Docker, image: str, options: tuple[str, ...], state: str) -> str:
    if state == "created":
        return docker.create("m", image, options=options)
    if state == "exited":
        name = docker.run("m", image, options=options)
        docker("kill", "-s", "TERM", name)
        docker("wait", name)
        return name
    name = docker.run("m", image, options=options)
    if state == "paused":
        docker("pause", name)
    return name


def _wait_for_a_pause(docker: Docker, name: str) -> None:
    """Waits until the engine's pauses between restarts, which double, are longer than a session takes."""
    deadline = time.monotonic() + 60
    while docker("inspect", "-f", "{{.State.Status}} {{gt .RestartCount 6}}", name) != "restarting true":
        assert time.monotonic() < deadline
        time.sleep(0.1)  # a restart policy's pauses have no event


def _left(docker: Docker, name: str, image: str) -> list[str]:
    """What stands for a target, or looks at one."""
    if name.startswith("image:"):
        return docker("ps", "-aq", "--filter", f"ancestor={image}", "--filter", f"label={LABEL}").split()
    return docker("ps", "-aq", "--filter", f"label={LABEL}.target={docker.inspect(name)['Id']}").split()


def _difference(docker: Docker, name: str) -> str:
    return "" if name.startswith("image:") else "\n".join(sorted(docker("diff", name).splitlines()))


def _mounts(docker: Docker, name: str) -> str:
    if name.startswith("image:") or not (pid := int(docker("inspect", "-f", "{{.State.Pid}}", name))):
        return ""
    return Path(f"/proc/{pid}/mountinfo").read_text()
