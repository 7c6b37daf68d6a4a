"""The power is cut: the engine's data lie on a disk of their own, and what had reached it is all that is left.

The disk is a file behind a loop device, so a copy of it is what a machine finds after the power came back. The worst is
assumed of what the engine hasn't synced: the kernel writes nothing of its own accord here, and before the copy one
file is synced from outside. ext4 then has that file and every name on the disk, and of other new files no contents.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.docker import Docker, busybox_files
from support.missing import missing
from support.pydd import Pydd
from support.registry import Registry

SIZE = 96 << 20
FILES = 400
CHECK = ("sh", "-c", "cd /files && sha256sum -cs sums && ls | wc -l")
MOMENTS = 4
"""Copies made while the image is pulled."""


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    if not Path("/sbin/mkfs.ext4").exists():
        missing("e2fsprogs")
    path = tmp_path / "disk"
    with path.open("wb") as file:
        file.truncate(SIZE)
    subprocess.run(["/sbin/mkfs.ext4", "-q", "-F", str(path)], check=True)
    return path


@pytest.fixture
def remote(docker: Docker, tmp_path: Path) -> Iterator[str]:
    """An image in a registry that can check whether all its files are unchanged."""
    source = random.Random(3)
    bodies = {str(number): source.randbytes(3000) for number in range(FILES)}
    sums = "".join(f"{hashlib.sha256(body).hexdigest()}  {name}\n" for name, body in bodies.items())
    files = {f"files/{name}": body for name, body in bodies.items()}
    image = docker.image("whole", {**busybox_files(), **files, "files/sums": sums.encode()}, 'CMD ["/bin/sh"]')
    (tmp_path / "registry").mkdir()
    with Registry.started(tmp_path / "registry") as registry:
        name = f"{registry.address}/power/cut:1"
        docker("tag", image, name)
        docker("push", name)
        docker("rmi", name, image)
        yield name


def cut(engine: Pydd, disk: Path, number: int, *, synced: str) -> Path:
    """Copy the disk as a power cut would leave it now, one file of the engine's having been synced by chance."""
    assert engine.process is not None
    engine.process.send_signal(signal.SIGSTOP)
    os.waitpid(engine.process.pid, os.WUNTRACED)
    try:
        opened = os.open(engine.config.root / synced, os.O_RDONLY)
        os.fsync(opened)
        os.close(opened)
        copy = disk.with_name(f"copy{number}")
        subprocess.run(["cp", "--sparse=always", str(disk), str(copy)], check=True)
    finally:
        engine.process.send_signal(signal.SIGCONT)
    return copy


def images_on(copy: Path, remote: str) -> list[str]:
    """The images an engine finds on a disk; each must be complete, and nothing may lie there for no image."""
    with Pydd.started(disk=copy) as engine:
        docker = Docker(host=engine.host)
        images = docker("images", "-q", "--no-trunc").split()
        for image in images:
            assert docker("run", "--rm", "--network", "none", image, *CHECK) == str(FILES + 1)
        docker("pull", remote)  # the next command works
        docker("rmi", "-f", remote)
        for kind in () if images else ("layers", "blobs/sha256", "blobs/spool"):
            assert list((engine.config.root / kind).iterdir()) == []
    copy.unlink()
    return images


def test_a_pulled_image_is_complete_or_absent_whenever_the_power_fails(disk: Path, remote: str):
    with Pydd.started(disk=disk) as engine, Docker(host=engine.host) as docker:
        pull = subprocess.Popen(["docker", "-H", docker.host, "pull", "-q", remote], stdout=subprocess.PIPE)
        copies = [cut(engine, disk, number, synced="engine.db-wal") for number in range(MOMENTS)]
        pull.communicate()
        assert pull.returncode == 0
        copies.append(cut(engine, disk, MOMENTS, synced="engine.db-wal"))
        docker("rmi", remote)
    images = [images_on(copy, remote) for copy in copies]
    assert images[0] == []
    assert len(images[-1]) == 1


def test_a_removed_image_stays_removed_after_a_power_cut(disk: Path, remote: str):
    with Pydd.started(disk=disk) as engine, Docker(host=engine.host) as docker:
        docker("pull", remote)
        subprocess.run(["sync", "-f", str(engine.config.root)], check=True)
        docker("rmi", remote)
        copy = cut(engine, disk, 0, synced="layers")
    assert images_on(copy, remote) == []


def test_synced_files_of_a_volume_survive_a_power_cut_and_removed_objects_stay_removed(disk: Path, remote: str):
    with Pydd.started(disk=disk) as engine, Docker(host=engine.host) as docker:
        docker("pull", remote)
        ends = docker.create("ends", remote, "true", options=("--network", "none"))
        docker("volume", "create", "leaves")
        subprocess.run(["sync", "-f", str(engine.config.root)], check=True)
        docker("rm", ends)
        docker("volume", "rm", "leaves")
        line = "echo kept | dd of=/v/file conv=fsync 2>/dev/null"
        docker("run", "--rm", "--network", "none", "-v", "stays:/v", remote, "sh", "-c", line)
        copy = cut(engine, disk, 0, synced="volumes/stays/_data/file")
        docker("volume", "rm", "stays")
        docker("rmi", remote)
    with Pydd.started(disk=copy) as engine:
        docker = Docker(host=engine.host)
        assert docker("ps", "-aq") == ""
        assert docker("volume", "ls", "-q") == "stays"
        assert list((engine.config.root / "containers").iterdir()) == []
        assert docker("run", "--rm", "--network", "none", "-v", "stays:/v", remote, "cat", "/v/file") == "kept"
        docker("volume", "rm", "stays")
        docker("rmi", remote)
