"""Kinds of containers in all states, on all engines, entered all ways: a prompt, a known file, nothing left behind.

`nox -s matrix` runs all of it and writes `docs/development/debug-matrix.md`.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from matrix.targets import KINDS, KNOWN, images
from pyd_core.debug.helper.container import LABEL
from support.connections import SOCKET, Way, as_user
from support.docker import Docker
from support.dockerd import Dockerd
from support.podman import Podman
from support.pydd import Pydd
from support.rootless import rootless

STATES = ("running", "paused", "exited", "created", "restarting", "image")
WAYS = (
    *("Docker, root", "Docker, helper", "Docker containerd, root", "Docker containerd, helper"),
    *("Podman, root", "Podman, rootless", "pydd, root", "pydd, helper"),
)

Cell = tuple[str, str, str]
"""Kind, state, way."""

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


def cannot(kind: str, state: str, way: str) -> str:
    """Why there can be no such container; empty where there can."""
    return CANNOT.get((kind, way)) or CANNOT.get((state, way)) or ""


@dataclass(frozen=True)
class Place:
    """An engine, the images on it, and how pyd is called for it."""

    docker: Docker
    way: Way
    images: dict[str, str]
    crashing: dict[str, str] = field(default_factory=dict)
    """Containers that crash again and again, by kind."""


class Places:
    """The engines, each made when a cell first asks for it.

    Args:
        sleeper: The program of their containers.
        home: A folder for a user who isn't root.
        cells: Those that will be asked for.
        stack: What holds the engines.
    """

    def __init__(self, sleeper: Path, home: Path, cells: Collection[Cell], stack: ExitStack) -> None:
        self._sleeper = sleeper
        self._home = home
        self._cells = cells
        self._enter = stack.enter_context
        self._sites: dict[str, Place] = {}
        self._pydd: Pydd | None = None
        self._snapshotting: Dockerd | None = None

    def __getitem__(self, way: str) -> Place:
        if way not in self._sites:
            docker, called = self._engine(way)
            self._sites[way] = site = Place(docker, called, images(docker, self._sleeper))
            for kind, state, chosen in self._cells:
                # Begun before they are needed: the pauses between restarts have to grow.
                if (state, chosen) == ("restarting", way) and not cannot(kind, state, way):
                    options = ("--restart", "always", *KINDS[kind].options)
                    image = site.images[KINDS[kind].image]
                    site.crashing[kind] = docker.run("m", image, "/crash", options=options)
        return self._sites[way]

    def _engine(self, way: str) -> tuple[Docker, Way]:
        engine, who = way.split(", ")
        if engine == "Docker":
            before = as_user(SOCKET, self._home) if who == "helper" else ()
            return self._enter(Docker()), Way(who, before=before)
        if engine == "Docker containerd":
            if self._snapshotting is None:
                self._snapshotting = self._enter(Dockerd.with_containerd_store())
            home = self._snapshotting.home
            before = as_user(home / "engine.sock", self._home) if who == "helper" else ()
            return self._enter(self._snapshotting.corner()), Way(who, self._snapshotting.url, before)
        if engine == "pydd":
            if self._pydd is None:
                self._pydd = self._enter(Pydd.started())
            before = as_user(self._pydd.config.socket_path, self._home) if who == "helper" else ()
            return self._enter(Docker(host=self._pydd.host)), Way(who, self._pydd.host, before)
        if who == "root":
            podman = self._enter(Podman(storage="overlay"))
            return self._enter(podman.corner()), Way(who, podman.url)
        unprivileged = self._enter(rootless())
        return self._enter(unprivileged.corner()), unprivileged.way


@pytest.fixture(scope="session")
def sites(sleeper: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Places]:
    cells = [
        cast("Cell", item.callspec.params["cell"])
        for item in request.session.items
        if isinstance(item, pytest.Function)
    ]
    with ExitStack() as stack:
        yield Places(sleeper, tmp_path_factory.mktemp("home"), cells, stack)


@pytest.fixture(scope="session")
def table() -> Iterator[dict[Cell, str]]:
    """Collect the outcome of each cell; written at the end if `PYD_MATRIX` names a file."""
    outcomes: dict[Cell, str] = {}
    yield outcomes
    if (path := os.environ.get("PYD_MATRIX")) and len(outcomes) == len(CELLS):
        Path(path).write_text(_page(outcomes))


def _page(outcomes: dict[Cell, str]) -> str:
    lines = [
        "# Debug matrix",
        "",
        "Written by `nox -s matrix`. Each cell is a container of that kind and state, entered on that real engine by",
        'that user. "yes" means: the shell ran, a known file had its content, `docker diff` and the target\'s mounts',
        "were as before, and nothing was left. *helper* is a user in the engine's group who isn't root;",
        "*Docker containerd* is Docker Engine with containerd's image store; *pydd* is pyd's own engine.",
        "",
        f"| container | state | {' | '.join(WAYS)} |",
        f"|---|---|{'---|' * len(WAYS)}",
    ]
    for kind, state in dict.fromkeys((kind, state) for kind, state, _ in CELLS):
        cells = [outcomes[kind, state, way] for way in WAYS]
        lines.append(f"| {kind} | {state} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("cell", CELLS, ids=" · ".join)
def test_cell(
    sites: Places,
    table: dict[Cell, str],
    cell: Cell,
):
    kind, state, way = cell
    reason = cannot(kind, state, way)
    table[kind, state, way] = f"({reason})" if reason else "**no**"
    if reason:
        return
    site, expected = sites[way], KINDS[kind]
    image = site.images[expected.image]
    if state == "image":
        name = f"image:{image}"
    elif state == "restarting":
        name = site.crashing[kind]
        _wait_for_a_pause(site.docker, name)
    else:
        name = _container(site.docker, image, expected.options, state)
    before = _difference(site.docker, name)
    mounts = _mounts(site.docker, name) if state != "restarting" else ""
    done = site.way.debug(name, "-c", '@cat /known; echo "[$?]"; @id -u')
    assert done.stdout.decode() == f"{KNOWN}[0]\n0\n", done.stderr.decode()
    assert done.returncode == 0
    assert _difference(site.docker, name) == before
    if state != "restarting":  # it may just run, or not
        assert _mounts(site.docker, name) == mounts
    assert _left(site.docker, name, image) == []
    if state != "image":
        site.docker("rm", "-f", "-v", name)
    table[kind, state, way] = "yes"


def _container(docker: Docker, image: str, options: tuple[str, ...], state: str) -> str:
    if state == "created":
        return docker.create("m", image, options=options)
    if state == "exited":
        name = docker.run("m", image, options=options)
        docker("kill", name)  # a first process has no ears for SIGTERM until it has got so far
        docker("wait", name)
        return name
    name = docker.run("m", image, options=options)
    if state == "paused":
        docker("pause", name)
    return name


def _wait_for_a_pause(docker: Docker, name: str) -> None:
    """Wait until the engine's pauses between restarts, which double, are longer than a session takes."""
    deadline = time.monotonic() + 60
    while docker("inspect", "-f", "{{.State.Status}} {{gt .RestartCount 6}}", name) != "restarting true":
        assert time.monotonic() < deadline
        time.sleep(0.1)  # a restart policy's pauses have no event


def _left(docker: Docker, name: str, image: str) -> list[str]:
    """Return the containers that stand in for a target, or look at one."""
    if name.startswith("image:"):
        return docker("ps", "-aq", "--filter", f"ancestor={image}", "--filter", f"label={LABEL}").split()
    return docker("ps", "-aq", "--filter", f"label={LABEL}.target={docker.inspect(name)['Id']}").split()


def _difference(docker: Docker, name: str) -> str:
    return "" if name.startswith("image:") else "\n".join(sorted(docker("diff", name).splitlines()))


def _mounts(docker: Docker, name: str) -> str:
    if name.startswith("image:") or not (pid := int(docker("inspect", "-f", "{{.State.Pid}}", name))):
        return ""
    return Path(f"/proc/{pid}/mountinfo").read_text()
