"""Clients that leave in the middle of something long: it is given up, and nothing of it stays."""

from __future__ import annotations

import gzip
import io
import json
import socket
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.docker import Docker, busybox_files, layer
from support.flaky_registry import FlakyRegistry, digest
from support.pydd import Pydd
from support.staging import wait_until

MANY = 100_000
"""Entries of an archive that takes a while to unpack, and little to send."""


@contextmanager
def asking(engine: Pydd, method: str, path: str, body: bytes = b"") -> Iterator[socket.socket]:
    """Send a whole request, and disconnect when the block ends."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(engine.config.socket_path))
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: e\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        )
        client.sendall(f"{head}\r\n".encode() + body)
        yield client


def nothing_is_under_way(engine: Pydd) -> bool:
    root = engine.config.root
    return not list((root / "blobs/spool").iterdir()) and not list((root / "layers").glob("new-*"))


@pytest.fixture(scope="module")
def slow() -> bytes:
    """A layer of many files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for number in range(MANY):
            tar.addfile(tarfile.TarInfo(f"{number // 1000}/{number}"))
    return buffer.getvalue()


def saved(body: bytes, name: str) -> bytes:
    """What `docker save` would have written of an image with that layer."""
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"diff_ids": [digest(body)]}})
    listed = json.dumps([{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}])
    return layer({"config.json": config, "manifest.json": listed, "layer.tar": body.decode("latin-1")})


@pytest.mark.parametrize("kind", ["load", "packed load", "import"])
def test_unpacking_stops_when_the_client_leaves(pydd: Pydd, docker: Docker, slow: bytes, kind: str):
    name = f"{docker.name('unwanted')}:1"
    body = slow if kind == "import" else saved(slow, name)
    repository = name.partition(":")[0]
    path = f"/images/create?fromSrc=-&repo={repository}&tag=1" if kind == "import" else "/images/load"
    before = sorted(entry.name for entry in (pydd.config.root / "layers").iterdir())
    with asking(pydd, "POST", path, gzip.compress(body, 1) if kind == "packed load" else body):
        wait_until(lambda: bool(list((pydd.config.root / "layers").glob("new-*"))))
    wait_until(lambda: nothing_is_under_way(pydd))
    assert docker("images", "-q", name) == ""
    assert sorted(entry.name for entry in (pydd.config.root / "layers").iterdir()) == before


def test_a_commit_is_cancelled_when_its_client_leaves(pydd: Pydd, docker: Docker, busybox: str):
    script = f"mkdir /many; cd /many; seq {MANY} | xargs touch; echo made; sleep 1000"
    name = docker.run("changed", busybox, "sh", "-c", script, options=("--network", "none"))
    wait_until(lambda: docker("logs", name) == "made")
    images = docker("images", "-aq")
    with asking(pydd, "POST", f"/commit?container={name}"):
        wait_until(lambda: not nothing_is_under_way(pydd))
    wait_until(lambda: nothing_is_under_way(pydd))
    assert docker("images", "-aq") == images
    assert docker.inspect(name)["State"]["Status"] == "running"
    docker("rm", "-f", name)


def connections(port: int) -> int:
    """Return the number of connections to a port of this host."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(1 for line in lines if line.split()[2].endswith(f":{port:04X}") and line.split()[3] == "01")


@pytest.mark.parametrize("begun", [False, True])
def test_a_pull_stops_when_its_client_leaves(pydd: Pydd, docker: Docker, begun: bool):
    """The registry is let go, whether the client leaves during the lookup or during the download."""
    requested, finished = threading.Event(), threading.Event()

    def stalled(packed: bytes, begin: int, number: int) -> bytes:
        requested.set()
        finished.wait(120)
        return packed

    registry = FlakyRegistry(layer(busybox_files()), sent=stalled)
    if not begun:
        documents = registry.documents

        def late() -> tuple[dict[str, bytes], bytes]:
            contents, _ = documents()
            return contents, contents["manifest"]  # so that this is what is sent in its own time

        registry.documents = late  # type: ignore[method-assign]
    with registry.serving() as name:
        repository, _, tag = name.rpartition(":")
        port = int(registry.name.partition(":")[2])
        try:
            with asking(pydd, "POST", f"/images/create?fromImage={repository}&tag={tag}"):
                assert requested.wait(60)
                assert connections(port) > 0
            wait_until(lambda: connections(port) == 0, 20)  # on its own it would give up a silent registry later
        finally:
            finished.set()
        assert nothing_is_under_way(pydd)
        assert docker("images", "-q", name) == ""


def test_a_prune_stops_when_its_client_leaves(pydd: Pydd, docker: Docker, busybox: str):
    label = docker.name("prunable")
    for _ in range(12):
        docker("create", "--label", label, "--network", "none", busybox, "true")
    with asking(pydd, "POST", f'/containers/prune?filters={{"label":["{label}"]}}'):
        pass
    left = docker("ps", "-aq", "--filter", f"label={label}").split()
    assert left, "it went on to the end"
    docker("rm", *left)
