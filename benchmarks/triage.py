"""The rows about triage and its recorder."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from ground import PYD, Ground
from measure import Skip, environment, in_turn
from row import Row

MANY = 200
SETTLE_S = 15.0
"""Seconds in which a recorder looks at what ran before it."""
WATCHED = 30.0
TICKS = os.sysconf("SC_CLK_TCK")


def verdict(ground: Ground) -> list[Row]:
    """Measure `pyd triage NAME` of a container that died on its own."""
    target = ground.container("dies", "/bin/sh", "-c", "echo 'sh: TOKEN: parameter not set' >&2; exit 2")
    ground.docker("wait", target)
    ours, theirs = in_turn((PYD, "triage", target), ("docker", "inspect", target), rounds=ground.rounds)
    return [Row("pyd triage NAME", ours.wall * 1e3, "ms", "docker inspect", theirs.wall * 1e3, limit=400)]


def sweep(ground: Ground) -> list[Row]:
    """Measure `pyd triage` of everything, with 200 containers; it exits with 1 where something is broken."""
    names = ground.crowd(MANY)
    line = f"{PYD} triage; test $? -le 1"
    rounds = max(3, ground.rounds // 4)
    ours, theirs = in_turn(("sh", "-c", line), ("docker", "inspect", *names), rounds=rounds, warm=1)
    peer = f"docker inspect, {MANY}"
    return [Row(f"pyd triage, {MANY} containers", ours.wall, "s", peer, theirs.wall, limit=3)]


def recorder(ground: Ground) -> list[Row]:
    """Measure `pyd record` with 200 running containers."""
    ground.crowd(MANY)
    with tempfile.TemporaryDirectory() as directory:
        history = Path(directory) / "history.db"
        process = subprocess.Popen(
            [PYD, "record", "--quiet"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment({"PYD_HISTORY": str(history)}),
        )
        try:
            time.sleep(SETTLE_S)
            begun, before = time.perf_counter(), _cpu(process.pid)
            time.sleep(WATCHED)
            load = (_cpu(process.pid) - before) / (time.perf_counter() - begun) * 100
            size = _memory(process.pid)
            took = sum(file.stat().st_size for file in Path(directory).iterdir())
        except OSError as error:
            raise Skip(f"the recorder ended: {error}") from error
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
    seconds = SETTLE_S + WATCHED
    note = f"{took / 2**20:.1f} MiB on disk after {seconds:.0f} s, of 64 at most"
    return [
        Row(f"pyd record, {MANY} containers: processor", load, "% of a core", limit=2, note=note),
        Row(f"pyd record, {MANY} containers: memory", size / 1e6, "MB", limit=60),
    ]


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _memory(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
