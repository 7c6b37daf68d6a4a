"""Docker Engine with containerd's image store: stopped containers and images are used where they are, under a lease."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pyd_core.client.connect import open_engine
from pyd_core.client.endpoint import Endpoint
from pyd_core.cri.leases import LeasesApi
from pyd_core.files.choice import open_files
from pyd_core.layers.inspect import image_contents
from support.debugging import command
from support.docker import LABEL, LONE, Docker, busybox_files, environment, layer
from support.dockerd import Dockerd

SCRIPT = "echo mine > /own; rm /gone; echo new > /base"


@dataclass(frozen=True)
class SnapshotHost:
    """The engine, an image of two layers on it, and a container of that image that has ended."""

    docker: Docker
    socket: Path
    image: str
    stopped: str
    copies: Path

    def ctr(self, *arguments: str) -> list[str]:
        """Run a command of containerd's own client in the engine's namespace, and return the lines it printed."""
        line = ["ctr", f"--address={self.socket}", "--namespace=moby", *arguments]
        return subprocess.run(line, capture_output=True, text=True, check=True).stdout.splitlines()

    def state(self) -> tuple[set[str], set[str]]:
        """Return the names of all leases and snapshots."""
        snapshots = {line.split()[0] for line in self.ctr("snapshots", "list")}
        return set(self.ctr("leases", "list", "--quiet")), snapshots

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `pyd debug`."""
        pipe = subprocess.PIPE
        line = command(*arguments, host=self.docker.host)
        env = environment(PYD_COPIES=str(self.copies))
        directory = self.copies.parent  # changes that conflict are saved in the working directory
        return subprocess.Popen(line, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=env, cwd=directory)

    def debug(self, *arguments: str) -> tuple[str, str]:
        """Run `pyd debug` to its end; return stdout and stderr."""
        with self.start(*arguments) as process:
            return process.communicate(timeout=120)


def archive(name: str, run: str) -> bytes:
    """Return an image of two layers as `docker save` writes it; committing one would put a layer of mount points in."""
    layers = {
        "1.tar": layer({**busybox_files(), "base": b"old\n", "gone": b"here\n"}),
        "2.tar": layer({"two": b"two\n", "bin/.wh.vi": b""}),
    }
    digests = [f"sha256:{hashlib.sha256(data).hexdigest()}" for data in layers.values()]
    config = {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine],
        "os": "linux",
        "config": {"Labels": {LABEL: run}},
        "rootfs": {"type": "layers", "diff_ids": digests},
        "history": [{"created_by": "a"}, {"created_by": "b"}],
    }
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": [*layers]}]
    documents = {"config.json": json.dumps(config).encode(), "manifest.json": json.dumps(manifest).encode()}
    return layer({**layers, **documents})


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnapshotHost]:
    home = tmp_path_factory.mktemp("store")
    with Dockerd.with_containerd_store() as engine, engine.corner() as docker:
        image = f"{docker.name('store')}:1"
        docker("load", stdin=archive(image, docker.prefix))
        stopped = docker.run("stopped", image, "sh", "-c", SCRIPT, options=LONE)
        docker("wait", stopped)
        socket = engine.home / "run" / "containerd" / "containerd.sock"
        yield SnapshotHost(docker, socket, image, stopped, home / "copies")


def test_the_engine_names_no_directories(host: SnapshotHost):
    driver = host.docker.inspect(host.stopped)["GraphDriver"]
    assert driver == {"Name": "overlayfs", "Data": None}


def test_a_stopped_container_is_entered_without_a_copy_and_left_as_it_was(host: SnapshotHost):
    before = host.state()
    line = "cat /own /base /two; ls /gone /bin/vi 2>/dev/null; echo x > /new; cat /new"
    assert host.debug(host.stopped, "-c", line) == ("mine\nnew\ntwo\nx\n", "")
    assert host.state() == before
    assert not host.copies.exists()
    assert "/new" not in host.docker("diff", host.stopped)


def test_an_image_is_entered_without_a_copy_and_its_view_goes(host: SnapshotHost):
    before = host.state()
    line = "cat /base /gone /two; ls /own /bin/vi 2>/dev/null; rm /two; ls -d /two"
    output, errors = host.debug(f"image:{host.image}", "-c", line)
    assert output == "old\nhere\ntwo\n"
    assert errors.count("\n") == 1, errors  # of ls
    assert host.state() == before
    assert not host.copies.exists()


def test_builtins_see_the_snapshot(host: SnapshotHost):
    assert host.debug(host.stopped, "-b", "files /own")[0].endswith("own\n")
    assert not host.copies.exists()


def test_changes_are_listed_saved_and_applied_unless_the_container_changed_too(host: SnapshotHost):
    name = host.docker.create("changed", host.image, "true", options=LONE)
    output, _ = host.debug(name, "--diff", "--apply", "/new", "-c", "echo x > /new; rm /two")
    assert output.splitlines() == ["A /new", "D /two"]
    assert "/new" in host.docker("diff", name)
    saved = f"{host.docker.name('saved')}:1"
    host.debug(name, "--save", saved, "-c", "echo y > /new")
    assert host.debug(f"image:{saved}", "-c", "cat /new; ls /two")[0] == "y\n/two\n"
    host.docker("rmi", saved)
    with host.start(name, "--apply", "/", "-c", "echo ready; read go; echo z > /new") as session:
        assert session.stdout is not None
        assert session.stdout.readline() == "ready\n"
        host.docker("cp", "/etc/hostname", f"{name}:/new")
        _, errors = session.communicate("\n", timeout=60)
    assert "itself has changed /new" in errors
    assert "z" not in host.docker("cp", f"{name}:/new", "-", check=False).split("\n")


def test_files_stay_until_the_session_ends_when_the_container_is_removed(host: SnapshotHost):
    name = host.docker.run("removed", host.image, "sh", "-c", "echo late > /late", options=LONE)
    host.docker("wait", name)
    key = host.docker.inspect(name)["Id"]
    with host.start(name, "-c", "echo ready; read go; /bin/busybox cat /late") as session:
        assert session.stdout is not None
        assert session.stdout.readline() == "ready\n"
        host.docker("rm", name)
        assert key in host.state()[1]
        assert session.communicate("\n", timeout=60)[0] == "late\n"
    assert key not in host.state()[1]


def test_the_lease_of_a_killed_session_expires_and_the_next_session_ends_it(host: SnapshotHost):
    before = host.state()
    with host.start(f"image:{host.image}", "-c", "echo ready; read go") as session:
        assert session.stdout is not None
        assert session.stdout.readline() == "ready\n"
        session.send_signal(signal.SIGKILL)
        session.wait()
        leases, snapshots = host.state()
        assert (len(leases - before[0]), len(snapshots - before[1])) == (1, 1)
        (lease,) = leases - before[0]
        (labels,) = [line for line in host.ctr("leases", "list") if line.startswith(lease)]
        assert "containerd.io/gc.expire=" in labels
    host.debug(host.stopped, "-c", "true")
    assert host.state() == before


def test_without_containerd_in_reach_files_are_copied(host: SnapshotHost):
    away = host.socket.with_suffix(".away")
    host.socket.rename(away)
    try:
        output, errors = host.debug(host.stopped, "-c", "cat /own")
    finally:
        away.rename(host.socket)
    assert output == "mine\n"
    assert "all its files are copied first" in errors


async def test_a_committed_image_has_a_snapshot_more_than_layers_and_is_read_through_the_engine(host: SnapshotHost):
    image = f"{host.docker.name('committed')}:1"
    host.docker("commit", host.stopped, image)
    reported: list[int] = []
    async with open_engine(Endpoint(url=host.docker.host)) as engine:
        steps = (await image_contents(engine, await engine.images.inspect(image), reported.append)).steps
    assert [(step.added, step.changed, step.removed) for step in steps[1:]] == [(1, 0, 1), (1, 1, 1)]
    assert reported
    assert host.debug(f"image:{image}", "-c", "cat /own /two; ls /dev/.pyd > /dev/null") == ("mine\ntwo\n", "")


async def test_files_and_layers_are_read_where_they_are(host: SnapshotHost):
    before = host.state()
    reported: list[int] = []
    async with open_engine(Endpoint(url=host.docker.host)) as engine:
        files = await open_files(engine, await engine.containers.inspect(host.stopped))
        assert files.way == "from its layers"
        names = {entry.name for entry in (await files.list("/")).entries}
        assert ("own" in names, "two" in names, "gone" in names) == (True, True, False)
        assert await files.read("/base", 100) == b"new\n"
        image = await engine.images.inspect(host.image)
        first, second = (await image_contents(engine, image, reported.append)).steps
    assert (first.added > 100, second.added, second.removed) == (True, 1, 1)
    assert reported == []
    assert host.state() == before


async def test_a_read_only_client_makes_no_lease(host: SnapshotHost, monkeypatch: pytest.MonkeyPatch):
    created: list[str] = []
    monkeypatch.setattr(LeasesApi, "create", lambda _api, lease, _owner: created.append(lease))
    reported: list[int] = []
    async with open_engine(Endpoint(url=host.docker.host, read_only=True)) as engine:
        image = await engine.images.inspect(host.image)
        first, second = (await image_contents(engine, image, reported.append)).steps
    assert (first.added > 100, second.added, second.removed) == (True, 1, 1)
    assert reported
    assert created == []
