"""The engine is killed and comes back: containers live on, nothing is half done, nothing is left over."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.docker import Docker, busybox_files
from support.pydd import Pydd
from support.registry import Registry

KILLS = int(os.environ.get("PYD_KILLS", "8"))
"""`nox -s stress` kills more often."""


@pytest.fixture
def fragile() -> Iterator[Pydd]:
    """An engine of its own, to be killed."""
    with Pydd.started() as engine:
        yield engine


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    with Registry.started(tmp_path) as started:
        yield started.address


def load_image(docker: Docker, engine: Pydd, image: str) -> None:
    saved = subprocess.run(["docker", "-H", docker.host, "save", image], capture_output=True, check=True).stdout
    subprocess.run(["docker", "-H", engine.host, "load"], input=saved, capture_output=True, check=True)


def test_containers_outlive_the_engine_and_are_found_again(docker: Docker, busybox: str, fragile: Pydd):
    load_image(docker, fragile, busybox)
    ours = Docker(host=fragile.host)
    counting = "i=0; while :; do echo $((i=i+1)); sleep 0.05; done"
    lives = ours.run("lives", busybox, "sh", "-c", counting)
    ends = ours.run("ends", busybox, "sleep", "1000", options=("--network", "none"))
    pid = ours.inspect(lives)["State"]["Pid"]
    stopped = ours.inspect(ends)["State"]["Pid"]
    fragile.kill()
    os.kill(stopped, signal.SIGKILL)  # while no engine watches
    fragile.start()
    assert ours.inspect(lives)["State"]["Pid"] == pid
    assert ours("exec", lives, "echo", "here") == "here"
    assert ours("logs", "--tail", "1", lives).isdecimal()
    assert ours("wait", ends) == "137"
    assert ours.inspect(ends)["State"]["Status"] == "exited"
    ours("rm", "-f", lives, ends)


def pushed(ours: Docker, image: str, registry: str) -> str:
    """Push an image with a layer of its own and remove it here again."""
    remote = f"{registry}/crash/image:1"
    container = ours.create(
        "layered", image, "sh", "-c", "printf %01000d 0 | tr 0 x > /layer", options=("--network", "none")
    )
    ours("start", "-a", container)
    ours("commit", container, remote)
    ours("rm", container)
    ours("push", remote)
    ours("rmi", remote)
    return remote


def test_an_engine_killed_at_random_moments_stays_consistent_and_leaves_nothing(
    docker: Docker, busybox: str, fragile: Pydd, registry: str
):
    load_image(docker, fragile, busybox)
    ours = Docker(host=fragile.host)
    remote = pushed(ours, busybox, registry)
    survivor = ours.run("survivor", busybox, "sleep", "100000")
    pid = ours.inspect(survivor)["State"]["Pid"]
    finished = threading.Event()

    def work() -> None:
        number = 0
        while not finished.is_set():
            number += 1
            name = ours.name(f"w{number}")
            ours("run", "--rm", "--name", name, busybox, "true", check=False)
            ours("create", "--name", name + "c", "--network", "none", busybox, "true", check=False)
            ours("start", name + "c", check=False)
            ours("exec", survivor, "true", check=False)
            ours("rm", "-f", name + "c", check=False)
            ours("pull", remote, check=False)
            ours("volume", "create", name, check=False)
            ours("rmi", remote, check=False)
            ours("volume", "rm", name, check=False)

    worker = threading.Thread(target=work)
    worker.start()
    moments = random.Random(11)
    try:
        for _ in range(KILLS):
            finished.wait(moments.uniform(0.02, 0.6))  # the moment of the kill, not a wait for something
            fragile.kill()
            fragile.start()
            assert ours.inspect(survivor)["State"]["Pid"] == pid
    finally:
        finished.set()
        worker.join()
    left = ours("ps", "-aq").split()
    ours("rm", "-f", *left)
    assert ours("ps", "-aq") == ""
    ours("pull", remote)
    assert ours("run", "--rm", "--network", "none", remote, "cat", "/layer") == "x" * 1000
    ours("rmi", remote)
    ours("image", "prune", "-af")
    store = fragile.config.root
    for kind in ("layers", "blobs/sha256", "blobs/spool", "containers"):
        assert list((store / kind).iterdir()) == []


def test_an_engine_after_one_that_was_killed_takes_the_default_bridge_away_when_it_ends():
    with Pydd.started() as engine, Docker(host=engine.host) as docker:  # nothing may be left at the end
        image = docker.image("bridged", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
        docker("run", "--rm", image, "true")
        engine.kill()
        engine.start()
