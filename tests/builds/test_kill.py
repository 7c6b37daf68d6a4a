"""The engine is killed at any moment of a build: the next build is right, and nothing is left over."""

from __future__ import annotations

import os
import random
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.built_image import read_image
from support.docker import Docker, busybox_files, environment
from support.pydd import Pydd

MOMENTS = int(os.environ.get("PYD_BUILD_KILLS", "8"))
LONGEST_S = 4.0
"""Longer than the build takes, so that its end and export are hit too."""

DOCKERFILE = """FROM BASE AS one
RUN --mount=type=cache,target=/c echo one > /c/f; cp /c/f /one; sleep 0.3
FROM BASE AS two
COPY big /big
RUN sleep 0.2; rm /data/x; echo two > /two
FROM BASE
COPY --from=one /one /
COPY --from=two /two /big /
RUN --mount=target=/ctx sha256sum /ctx/big | cut -c1-64 > /sum; sleep 0.2
WORKDIR /end
"""


@pytest.fixture
def fragile() -> Iterator[Pydd]:
    """An engine of its own, to be killed."""
    with Pydd.started() as engine:
        yield engine


def _build(engine: Pydd, directory: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", "build", "--progress=plain", "-t", "killed", *options, "."],
        cwd=directory,
        env=environment(DOCKER_HOST=engine.host),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_next_build_is_right_after_a_kill_at_any_moment(fragile: Pydd, tmp_path: Path) -> None:
    moments = random.Random(20)
    with Docker(host=fragile.host) as docker:
        base = docker.image("base", {**busybox_files(), "data/x": "x"}, "ENV PATH=/bin", directories=("tmp", "data"))
        (tmp_path / "Dockerfile").write_text(DOCKERFILE.replace("BASE", base))
        (tmp_path / "big").write_bytes(random.Random(1).randbytes(8 << 20))
        assert _build(fragile, tmp_path, "--no-cache").returncode == 0
        expected = read_image(fragile.host, "killed").files
        for number in range(MOMENTS):
            thread = threading.Thread(target=_build, args=(fragile, tmp_path, "--no-cache"))
            thread.start()
            thread.join(LONGEST_S * moments.random())
            fragile.kill()
            thread.join()
            fragile.start()
            done = _build(fragile, tmp_path)
            assert done.returncode == 0, f"{number}: {done.stderr}"
            assert read_image(fragile.host, "killed").files == expected, number
        docker("image", "prune", "-af")
        docker("builder", "prune", "-af")
        builder = fragile.config.root / "builder"
        left = {
            name: [path.name for path in (builder / name).iterdir()]
            for name in ("snapshots", "work", "local", "caches")
        }
        assert left == {"snapshots": [], "work": [], "local": [], "caches": []}
        assert [path.name for path in (fragile.config.run / "build").iterdir()] == []
        assert [path.name for path in (fragile.config.root / "layers").iterdir()] == []
