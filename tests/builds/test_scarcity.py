"""Builds on a full disk, and with a registry that dies in the middle of a pull or a push."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from builds.conftest import Builders
from support.docker import Docker, busybox_files, environment
from support.dying_registry import DyingRegistry
from support.missing import missing
from support.pydd import Pydd
from support.registry import Registry

DISK_BYTES = 64 << 20
NOISE_BYTES = 12 << 20


def build(host: str, context: Path, *options: str) -> subprocess.CompletedProcess[str]:
    pyd = str(Path(sys.executable).with_name("pyd"))
    return subprocess.run(
        [pyd, "-H", host, "build", *options, str(context)],
        env=environment(), capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def left_of(engine: Pydd) -> dict[str, list[str]]:
    """Return what an engine holds of builds that run, by directory."""
    root = engine.config.root
    directories = {"work": root / "builder/work", "spool": root / "blobs/spool", "bundles": engine.config.run / "build"}
    return {name: [path.name for path in directory.iterdir()] for name, directory in directories.items()}


NOTHING_LEFT: dict[str, list[str]] = {"work": [], "spool": [], "bundles": []}


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Pydd]:
    """An engine on a small disk."""
    if not Path("/sbin/mkfs.ext4").exists():
        missing("e2fsprogs")
    disk = tmp_path / "disk"
    with disk.open("wb") as file:
        file.truncate(DISK_BYTES)
    subprocess.run(["/sbin/mkfs.ext4", "-q", "-F", "-m", "0", str(disk)], check=True)
    with Pydd.started(disk=disk) as engine:
        yield engine


FILLED = {
    "run": "FROM BASE\nRUN dd if=/dev/zero of=/filled bs=1M count=200\n",
    "copy": "FROM BASE\nCOPY large /one\nCOPY large /two\nCOPY large /three\nCOPY large /four\n",
    "run after a copy": "FROM BASE\nCOPY large /one\nRUN cat /one /one /one /one > /filled\n",
}


@pytest.mark.parametrize("name", FILLED)
def test_a_step_that_fills_the_disk_fails_and_leaves_the_engine_usable(small: Pydd, tmp_path: Path, name: str) -> None:
    with Docker(host=small.host) as docker:
        base = docker.image("base", busybox_files(), "ENV PATH=/bin", directories=("tmp",))
        context = tmp_path / "context"
        context.mkdir()
        (context / "large").write_bytes(random.Random(5).randbytes(NOISE_BYTES))
        (context / "Dockerfile").write_text(FILLED[name].replace("BASE", base))
        done = build(small.host, context, "-t", "filled")
        assert done.returncode != 0
        assert "no space left on device" in (done.stdout + done.stderr).lower()
        assert "Traceback" not in done.stderr
        assert docker("images", "-q", "filled") == ""
        assert left_of(small) == NOTHING_LEFT
        docker("builder", "prune", "-af")
        (context / "Dockerfile").write_text(f"FROM {base}\nRUN echo fits > /file\n")
        again = build(small.host, context, "-t", "filled")
        assert again.returncode == 0, again.stderr
        assert docker("run", "--rm", "--network", "none", "filled", "cat", "/file") == "fits"
        docker("rmi", "-f", "filled")


@contextmanager
def registry_with(docker: Docker, directory: Path, base: str) -> Iterator[tuple[Registry, str]]:
    """Run a registry that has a large image; yield it and the image's name without the registry."""
    context = directory / "large-image"
    context.mkdir()
    (context / "noise").write_bytes(random.Random(6).randbytes(NOISE_BYTES))
    (context / "Dockerfile").write_text(f"FROM {base}\nCOPY noise /noise\n")
    (directory / "registry").mkdir()
    with Registry.started(directory / "registry") as registry:
        name = f"{registry.address}/large:1"
        done = build(docker.host, context, "-t", name)
        assert done.returncode == 0, done.stderr
        docker("push", name)
        docker("rmi", "-f", name)
        docker("builder", "prune", "-af")
        yield registry, "large:1"


def test_a_registry_that_dies_in_mid_pull_fails_the_build_and_the_next_one_is_right(
    pydd: Pydd, builders: Builders, tmp_path: Path
) -> None:
    docker = builders.pydd
    with registry_with(docker, tmp_path, builders.base) as (registry, image):
        context = tmp_path / "context"
        context.mkdir()
        dying = DyingRegistry(registry.address, max_sent_bytes=NOISE_BYTES // 2)
        with dying.serving() as address:
            (context / "Dockerfile").write_text(f"FROM {address}/{image}\nRUN wc -c < /noise > /size\n")
            done = build(docker.host, context, "-t", "pulled")
            assert dying.is_dead
            assert done.returncode != 0
            assert address in done.stdout + done.stderr
            assert "Traceback" not in done.stderr
        assert docker("images", "-q", "pulled") == ""
        assert left_of(pydd) == NOTHING_LEFT
        assert not list((pydd.config.root / "layers").glob("new-*"))
        (context / "Dockerfile").write_text(f"FROM {registry.address}/{image}\nRUN wc -c < /noise > /size\n")
        again = build(docker.host, context, "-t", "pulled")
        assert again.returncode == 0, again.stderr
        assert docker("run", "--rm", "--network", "none", "pulled", "cat", "/size") == str(NOISE_BYTES)
        docker("rmi", "-f", "pulled")


def test_a_registry_that_dies_in_mid_push_fails_the_build_and_a_push_later_succeeds(
    pydd: Pydd, builders: Builders, tmp_path: Path
) -> None:
    docker = builders.pydd
    with registry_with(docker, tmp_path, builders.base) as (registry, _):
        context = tmp_path / "context"
        context.mkdir()
        (context / "noise").write_bytes(random.Random(7).randbytes(NOISE_BYTES))
        (context / "Dockerfile").write_text(f"FROM {builders.base}\nCOPY noise /noise\n")
        dying = DyingRegistry(registry.address, max_received_bytes=NOISE_BYTES // 2)
        with dying.serving() as address:
            done = build(docker.host, context, "-t", f"{address}/pushed:1", "--push")
            assert dying.is_dead
            assert done.returncode != 0
            assert address in done.stdout + done.stderr
            assert "Traceback" not in done.stderr
        assert left_of(pydd) == NOTHING_LEFT
        name = f"{registry.address}/pushed:1"
        again = build(docker.host, context, "-t", name, "--push")
        assert again.returncode == 0, again.stderr
        docker("rmi", "-f", name)
        docker("pull", name)
        assert docker("run", "--rm", "--network", "none", name, "wc", "-c", "/noise") == f"{NOISE_BYTES} /noise"
        docker("rmi", "-f", name)
