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
    """Start the embedded engine and yield corners of it and of Docker Engine."""
    with Pydd.started() as engine, Docker(host=engine.host) as ours:
        yield ours, ground.docker


def run(ground: Ground) -> list[Row]:
    """Measure `docker run --rm IMAGE true`."""
    with both(ground) as engines:
        lines = []
        for docker in engines:
            image = docker.image("true", busybox_files(), 'CMD ["/bin/sh"]', directories=("tmp", "etc"))
            lines.append(("docker", "-H", docker.host, "run", "--rm", image, "true"))
        ours, theirs = in_turn(*lines, rounds=ground.rounds)
    name = "docker run --rm X true, embedded engine"
    return [Row(name, ours.wall * 1e3, "ms", "Docker Engine", theirs.wall * 1e3, limit_ratio=0.5)]


def _large(salt: int) -> dict[str, bytes | Path | str]:
    source = random.Random(salt)  # noqa: S311 - the same each time
    words = [source.randbytes(6).hex().encode() for _ in range(4096)]
    parts = [b" ".join(source.choices(words, k=80_000)) for _ in range(LARGE // 1_040_000)]
    return {f"usr/lib/part{number}": part for number, part in enumerate(parts)}


def _many(salt: int) -> dict[str, bytes | Path | str]:
    return {f"usr/share/{number // 100}/{number}": f"{salt}{number}\n".encode() * 100 for number in range(FILES)}


def _processor_time(pid: int) -> float:
    """Return the processor seconds of a process and its reaped children; see proc_pid_stat(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def pull(ground: Ground) -> list[Row]:
    """Measure pulls from a registry on this host, each of an image new to both engines.

    Nothing is removed in between: ext4 passes over inodes deleted in the last minutes one by one, so a removal would
    slow the next creation of files.
    """
    rows: list[Row] = []
    rounds = max(3, ground.rounds // 4)
    with tempfile.TemporaryDirectory() as home, Registry.started(Path(home)) as registry:
        titles = {"120 MB": _large, f"{FILES} files": _many}
        names = {
            title: [f"{registry.address}/bench/{kind}:{number}" for number in range(rounds)]
            for kind, title in enumerate(titles)
        }
        with Pydd.started() as engine, Docker(host=engine.host) as maker:
            for number, (title, files) in ((number, round_) for round_ in titles.items() for number in range(rounds)):
                image = maker.image("pulled", files(number), 'CMD ["/bin/sh"]')
                maker("tag", image, names[title][number])
                maker("push", names[title][number])
        with Pydd.started() as engine, Docker(host=engine.host) as ours:
            assert engine.process is not None
            pids = {ours.host: engine.process.pid, ground.docker.host: int(Path("/run/docker.pid").read_text())}
            for title, pulled in names.items():
                wall: dict[str, list[float]] = {host: [] for host in pids}
                processor: dict[str, list[float]] = {host: [] for host in pids}
                try:
                    for number, name in enumerate(pulled):
                        for host in sorted(pids, reverse=bool(number % 2)):
                            os.sync()  # what one has left to write isn't the other's to wait for
                            before = _processor_time(pids[host])
                            wall[host].append(run_once(("docker", "-H", host, "pull", name)).wall)
                            processor[host].append(_processor_time(pids[host]) - before)
                finally:
                    ground.docker("rmi", *pulled, check=False)
                mine, peers = (statistics.median(wall[host]) for host in pids)
                spent = " of ".join(f"{statistics.median(processor[host]):.2f}" for host in pids)
                row = Row(f"pull of {title}, embedded engine", mine * 1e3, "ms", "docker pull", peers * 1e3,
                          limit_ratio=1.0, note=f"processor: {spent} s")  # fmt: skip
                rows.append(row)
    return rows
