"""The power is cut after a build, before the disk has its layers: its image is complete or absent afterwards.

The disk is a copy made while the engine stands still, as in tests/daemon/test_power.py. A library that is loaded into
the engine keeps its syncs from ending, so that the copy never has what only they would have written.
"""

from __future__ import annotations

import io
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from pyd_core.linux.boot import boot_id
from support.docker import Docker, environment
from support.missing import missing
from support.pydd import Pydd

DISK_BYTES = 96 << 20
FILES = 100
FILE_BYTES = 20_000
SHIM = """
#include <unistd.h>
int syncfs(int fd) { (void)fd; for (;;) pause(); }
"""


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    if not Path("/sbin/mkfs.ext4").exists():
        missing("e2fsprogs")
    path = tmp_path / "disk"
    with path.open("wb") as file:
        file.truncate(DISK_BYTES)
    subprocess.run(["/sbin/mkfs.ext4", "-q", "-F", str(path)], check=True)
    return path


@pytest.fixture
def shim(tmp_path: Path) -> Path:
    """A library whose syncfs(2) never returns."""
    code = tmp_path / "shim.c"
    code.write_text(SHIM)
    library = tmp_path / "shim.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, code], check=True)
    return library


@pytest.fixture
def context(tmp_path: Path) -> Path:
    directory = tmp_path / "context"
    directory.mkdir()
    for number in range(FILES):
        (directory / f"{number}").write_bytes(random.Random(number).randbytes(FILE_BYTES))
    (directory / "Dockerfile").write_text("FROM scratch\nCOPY . /files\n")
    return directory


def build(engine: Pydd, context: Path) -> None:
    pyd = str(Path(sys.executable).with_name("pyd"))
    done = subprocess.run(
        [pyd, "-H", engine.host, "build", "-t", "power", str(context)],
        env=environment(), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def cut(engine: Pydd, disk: Path, *, synced: tuple[str, ...]) -> Path:
    """Copy the disk as a power failure would leave it: with some files of the engine on it, by chance."""
    assert engine.process is not None
    engine.process.send_signal(signal.SIGSTOP)
    os.waitpid(engine.process.pid, os.WUNTRACED)
    try:
        for name in synced:
            opened = os.open(engine.config.root / name, os.O_RDONLY)
            os.fsync(opened)
            os.close(opened)
        copy = disk.with_name("copy")
        subprocess.run(["cp", "--sparse=always", str(disk), str(copy)], check=True)
    finally:
        engine.process.send_signal(signal.SIGCONT)
    return copy


def boot_again(copy: Path, directory: Path, *, lost: tuple[str, ...]) -> None:
    """Make what a disk records of this boot something of an earlier one, and empty the files below directories."""
    directory.mkdir()
    subprocess.run(["mount", "-t", "ext4", "-o", "loop", str(copy), str(directory)], check=True)
    try:
        for name in ("engine.db", "builder/cache.db"):
            database = sqlite3.connect(directory / name)
            with database:
                database.execute(
                    "UPDATE object SET body = replace(CAST(body AS TEXT), ?, 'an-earlier-boot')", (boot_id(),)
                )
            database.close()
        for name in lost:
            for path in (directory / name).rglob("*"):
                if path.is_file():
                    os.truncate(path, 0)
    finally:
        subprocess.run(["umount", str(directory)], check=True)


def state_of(copy: Path, context: Path) -> int:
    """Return how many images an engine has on a disk; each is complete, and the next build is right."""
    with Pydd.started(disk=copy) as engine:
        docker = Docker(host=engine.host)
        images = docker("images", "-q", "--no-trunc").split()
        for image in images:
            assert files_of(docker, image) == FILES + 1
        build(engine, context)
        assert files_of(docker, "power") == FILES + 1
        docker("image", "prune", "-af")
        docker("builder", "prune", "-af")
        assert [path.name for path in (engine.config.root / "layers").iterdir()] == []
        assert [path.name for path in (engine.config.root / "blobs/sha256").iterdir()] == []
    return len(images)


def files_of(docker: Docker, image: str) -> int:
    """Return the number of an image's files, each of which must have its content."""
    container = docker("create", image, "none")
    try:
        pipe = subprocess.run(
            ["docker", "-H", docker.host, "cp", f"{container}:/files", "-"], capture_output=True, check=True
        )
    finally:
        docker("rm", container)
    count = 0
    with tarfile.open(fileobj=io.BytesIO(pipe.stdout)) as tar:
        for member in tar:
            body = tar.extractfile(member) if member.isfile() else None
            if body is None:
                continue
            count += 1
            name = member.name.rpartition("/")[2]
            if name.isdigit():
                assert body.read() == random.Random(int(name)).randbytes(FILE_BYTES), name
    return count


@pytest.mark.parametrize("lost", [("layers",), ("layers", "blobs/sha256"), ("blobs/sha256",)], ids="-".join)
def test_a_built_image_is_complete_or_absent_after_a_power_failure(
    disk: Path, shim: Path, context: Path, tmp_path: Path, lost: tuple[str, ...]
) -> None:
    with Pydd.started(disk=disk) as engine:
        engine.stop()
        engine.start(before=["env", f"LD_PRELOAD={shim}"])
        build(engine, context)
        blobs = [f"blobs/sha256/{path.name}" for path in (engine.config.root / "blobs/sha256").iterdir()]
        assert len(blobs) == 2  # the layer and the configuration
        copy = cut(engine, disk, synced=("builder/cache.db-wal", "engine.db-wal", *blobs))
        engine.kill()
        engine.start()
        docker = Docker(host=engine.host)
        assert files_of(docker, "power") == FILES + 1  # the same boot: the kernel still has everything
        docker("rmi", "-f", "power")
    boot_again(copy, tmp_path / "mounted", lost=lost)
    assert state_of(copy, context) == (1 if lost == ("layers",) else 0)
