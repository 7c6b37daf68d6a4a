"""Rows of builds: `pyd build` next to `docker buildx build` on the same engine."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from ground import BUSYBOX, PYD, Ground
from measure import Skip, in_turn
from row import Row

FILES = 5_000
FILE_BYTES = 10_000

STAGES = """
FROM scratch AS base
COPY busybox /bin/busybox
COPY busybox /bin/sh
FROM base AS one
COPY src /src
RUN busybox wc -c /src/a > /one
FROM base AS two
COPY src /src
RUN busybox wc -l /src/a > /two
FROM base
COPY --from=one /one /one
COPY --from=two /two /two
RUN busybox cat /one /two > /all
"""


def cached(ground: Ground) -> list[Row]:
    """Measure a build whose steps are all cached, and one with an unchanged context of many files."""
    if subprocess.run(["docker", "buildx", "version"], capture_output=True, check=False).returncode != 0:
        raise Skip("missing: docker-buildx")
    with tempfile.TemporaryDirectory(prefix="pyd-bench-") as directory:
        stages, files = Path(directory) / "stages", Path(directory) / "files"
        (stages / "src").mkdir(parents=True)
        (stages / "src/a").write_text("a\n")
        shutil.copy(BUSYBOX, stages / "busybox")
        (stages / "Dockerfile").write_text(STAGES)
        for number in range(FILES):
            path = files / f"{number % 100}" / f"{number}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"{number}\n".encode() * (FILE_BYTES // (len(str(number)) + 1)))
        (files / "Dockerfile").write_text("FROM scratch\nCOPY . /files\n")
        return [
            _row(ground, "pyd build, all cached", stages, limit_ratio=0.8),
            _row(ground, f"pyd build, context of {FILES} files unchanged", files, limit_ratio=1.0),
        ]


def _row(ground: Ground, name: str, context: Path, *, limit_ratio: float) -> Row:
    ours, theirs = in_turn(
        (PYD, "build", "-q", str(context)), ("docker", "buildx", "build", "-q", str(context)), rounds=ground.rounds
    )
    return Row(name, ours.wall * 1e3, "ms", "docker buildx build", theirs.wall * 1e3, limit_ratio=limit_ratio)
