"""Removals that take long: the engine answers meanwhile, and its answers are true."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.docker import LONE, Docker, busybox_files
from support.pydd import Pydd

TIMEOUT_S = 60.0
"""Seconds until a removal that hasn't begun counts as one that never does."""
HELD_UP = """
import os, sys
from pyd_core.daemon import __main__, rmtree
remove, gate, begun = rmtree._remove, *sys.argv[1:3]
def held_up(going):
    try:
        os.rename(gate, taken := gate + ".taken")
    except FileNotFoundError:
        return remove(going)
    with open(begun, "w") as out, open(taken) as release:
        print("begun", file=out, flush=True)
        release.readline()
    remove(going)
rmtree._remove = held_up
del sys.argv[1:3]
sys.exit(__main__.main())
"""
"""The engine, but where there is a gate, the first removal of trees waits until a line is written to it."""


class HeldUp(Pydd):
    """An engine whose removals can be held up when they have come to the files."""

    def command(self, *more: str) -> list[str]:
        usual = super().command(*more)
        index = usual.index("-m")
        return [*usual[:index], "-c", HELD_UP, *map(str, self.gate), *usual[index + 2 :]]

    @property
    def gate(self) -> tuple[Path, Path]:
        return self.home / "gate", self.home / "begun"

    @contextmanager
    def removing(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a docker command that removes something; in the block it has begun and doesn't get on."""
        for pipe in self.gate:
            os.mkfifo(pipe)
        gate, begun = (os.open(pipe, os.O_RDWR) for pipe in self.gate)
        process = subprocess.Popen(
            ["docker", "-H", self.host, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            assert select.select([begun], [], [], TIMEOUT_S)[0], "nothing began to be removed"
            yield process
        finally:
            for path in (*self.gate, self.gate[0].with_suffix(".taken")):
                path.unlink(missing_ok=True)
            os.write(gate, b"\n")
            process.wait(TIMEOUT_S)
            os.close(gate)
            os.close(begun)


@pytest.fixture(scope="module")
def engine() -> Iterator[HeldUp]:
    with HeldUp.started() as started:
        assert isinstance(started, HeldUp)
        yield started


@pytest.fixture(scope="module")
def ours(engine: HeldUp) -> Iterator[Docker]:
    with Docker(host=engine.host) as corner:
        yield corner


@pytest.fixture(scope="module")
def image(ours: Docker) -> str:
    return ours.image("held", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc", "v"))


def failed(docker: Docker, *arguments: str) -> str:
    done = subprocess.run(["docker", "-H", docker.host, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    return done.stderr


def test_a_container_is_removed_while_others_are_run(engine: HeldUp, ours: Docker, image: str):
    name = ours.create("going", image, "true", options=LONE)
    directory = engine.config.root / "containers" / ours.inspect(name)["Id"]
    with engine.removing("rm", name) as process:
        assert ours("run", "--rm=false", "--name", ours.name("runs"), *LONE, image, "echo", "said") == "said"
        assert ours.inspect(name)["State"]["Status"] == "removing"
        for verb in (("start", name), ("cp", f"{name}:/tmp", "-"), ("diff", name), ("commit", name)):
            assert "is marked for removal" in failed(ours, *verb)
        assert "is already in use" in failed(ours, "create", "--name", name, image)
        assert process.poll() is None
    assert process.returncode == 0
    assert not [path for path in directory.parent.iterdir() if path.name.startswith(directory.name)]
    ours("rm", ours.create(name.removeprefix(f"{ours.prefix}-"), image), ours.name("runs"))


def test_the_name_of_a_volume_is_free_before_its_files_are(engine: HeldUp, ours: Docker, image: str):
    name = ours.name("volume")
    run = ("run", "--rm", "-v", f"{name}:/v", *LONE, image)
    ours(*run, "touch", "/v/old")
    with engine.removing("volume", "rm", name) as process:
        assert name not in ours("volume", "ls", "-q").split()
        ours(*run, "touch", "/v/new")
        assert process.poll() is None
    assert process.returncode == 0
    assert ours(*run, "ls", "/v") == "new"
    with engine.removing("volume", "prune", "-af") as process:
        assert ours(*run, "ls", "/v") == ""
        assert process.poll() is None
    assert process.returncode == 0
    ours("volume", "rm", name)
    assert list((engine.config.root / "volumes").iterdir()) == []


def test_an_image_comes_again_while_its_layers_are_removed(engine: HeldUp, ours: Docker, image: str):
    other = ours.image("again", {**busybox_files(), "only": b"here"}, 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
    saved = subprocess.run(["docker", "-H", ours.host, "save", other], capture_output=True, check=True).stdout
    with engine.removing("rmi", other) as process:
        assert "No such image" in failed(ours, "image", "inspect", other)
        ours("load", stdin=saved)
        assert process.poll() is None
    assert process.returncode == 0
    assert ours("run", "--rm", *LONE, other, "cat", "/only") == "here"
    ours("rmi", other)
    left = [path.name for path in (engine.config.root / "layers").iterdir()]
    assert len(left) == len(ours.inspect(image)["RootFS"]["Layers"])


def test_a_removal_that_the_engines_end_cut_short_is_finished_by_the_next(engine: HeldUp, ours: Docker, image: str):
    root = engine.config.root
    other = ours.image("cut", {"file": b"cut"}, 'CMD ["/file"]')
    name = ours.create("cut", image, "true", options=("-v", f"{ours.name('cut')}:/v", *LONE))
    for words in (("rmi", other), ("rm", name), ("volume", "rm", ours.name("cut"))):
        with engine.removing(*words):
            engine.kill()
        engine.start()
    assert ours("ps", "-aq", "--no-trunc") == ""
    assert list((root / "containers").iterdir()) == []
    assert ours("volume", "ls", "-q") == ""
    assert list((root / "volumes").iterdir()) == []
    assert len(list((root / "layers").iterdir())) == 1
    assert list((root / "blobs" / "spool").iterdir()) == []
