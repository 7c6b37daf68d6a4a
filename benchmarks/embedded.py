"""The embedded engine beside Docker Engine: the same client, asked the same."""

from __future__ import annotations

import os
import random
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ground import Ground  # noqa: TC002 - as in the other rows
from measure import in_turn, run_once
from row import Row

from support.docker import Docker, busybox_files
from support.pydd import Pydd
from support.registry import Registry

LARGE = 120 << 20
"""Bytes of the large image: as much as a distribution's, and about as compressible."""
FILES = 20_000


@contextmanager
def both(ground: Ground) -> Iterator[tuple[Docker, Docker]]:
    """A corner of the embedded engine, started for this, and one of Docker Engine."""
    with Pydd.started() as engine, Docker(host=engine.host) as ours:
        yield ours, ground.docker


def run(ground: Ground) -> list[Row]:
    """`docker run --rm IMAGE true`."""
    with both(ground) as engines:
        lines = []
        for docker in engines:
            image = docker.image("true", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
            lines.append(("docker", "-H", docker.host, "run", "--rm", image, "true"))
        ours, theirs = in_turn(*lines, rounds=ground.rounds)
    name = "docker run --rm X true, embedded engine"
    return [Row(name, ours.wall * 1e3, "ms", "Docker Engine", theirs.wall * 1e3, limit_ratio=0.5)]


def _large() -> dict[str, bytes | Path | str]:
    source = random.Random(1)  # noqa: S311 - the same each time
    words = [source.randbytes(6).hex().encode() for _ in range(4096)]
    parts = [b" ".join(source.choices(words, k=80_000)) for _ in range(LARGE // 1_040_000)]
    return {f"usr/lib/part{number}": part for number, part in enumerate(parts)}


def _many() -> dict[str, bytes | Path | str]:
    return {f"usr/share/{number // 100}/{number}": f"{number}\n".encode() * 100 for number in range(FILES)}


def pull(ground: Ground) -> list[Row]:
    """A pull from a registry on this host, of an image that isn't there yet."""
    rows: list[Row] = []
    with (
        both(ground) as (ours, theirs),
        tempfile.TemporaryDirectory() as home,
        Registry.started(Path(home)) as registry,
    ):
        for what, files in (("120 MB", _large()), (f"{FILES} files", _many())):
            made = ours.image("pulled", files, 'CMD ["/bin/sh"]')
            name = f"{registry.address}/bench/pulled:1"
            ours("tag", made, name)
            ours("push", name)
            ours("rmi", name, made)
            taken: dict[str, list[float]] = {ours.host: [], theirs.host: []}
            for _ in range(max(3, ground.rounds // 4)):
                for docker in (ours, theirs):
                    taken[docker.host].append(run_once(("docker", "-H", docker.host, "pull", name)).wall)
                    docker("rmi", name)
                    os.sync()  # what one has left to write isn't the other's to wait for
            mine, peers = (statistics.median(taken[docker.host]) for docker in (ours, theirs))
            title = f"pull of {what}, embedded engine"
            rows.append(Row(title, mine * 1e3, "ms", "docker pull", peers * 1e3, limit_ratio=1.0))
    return rows
