"""Whole processes, timed in turn (A B A B ...), so that what else the machine does falls on both alike."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Argv = Sequence[str | os.PathLike[str]]


class Skip(Exception):
    """A row that can't be measured here, and why."""


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's variables, without those that change a user's figures."""
    dropped = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "NO_COLOR", "PYTHONUNBUFFERED")
    return {name: value for name, value in os.environ.items() if name not in dropped} | dict(extra or {})


@dataclass(frozen=True, slots=True)
class Sample:
    """A run of a program.

    Attributes:
        wall: Seconds from before the fork until it was reaped.
        cpu: Processor seconds of it and of its reaped children.
        memory: Its largest resident set, in bytes.
    """

    wall: float
    cpu: float
    memory: int


def run_once(argv: Argv) -> Sample:
    """Run a program with nothing on stdin and its output thrown away; it must succeed."""
    begun = time.perf_counter()
    child = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment()
    )
    assert child.stderr is not None
    stderr = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - begun
    child.returncode = os.waitstatus_to_exitcode(status)  # reaped by wait4; Popen must not wait for it again
    child.stderr.close()
    if child.returncode != 0:
        command = " ".join(os.fspath(word) for word in argv)
        raise Skip(f"{command}: exit code {child.returncode}: {stderr.decode().strip()[:200]}")
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def taken_in_turn(*programs: Argv, rounds: int, warm: int = 2) -> list[list[Sample]]:
    """Run programs in turn and return all samples of each, in their order, without those of the first rounds."""
    taken: list[list[Sample]] = [[] for _ in programs]
    for number in range(warm + rounds):
        for samples, argv in zip(taken, programs, strict=True):
            sample = run_once(argv)
            if number >= warm:
                samples.append(sample)
    return taken


def in_turn(*programs: Argv, rounds: int, warm: int = 2) -> list[Sample]:
    """Run programs in turn and return the medians of each, in their order."""
    return [
        Sample(
            statistics.median(sample.wall for sample in samples),
            statistics.median(sample.cpu for sample in samples),
            int(statistics.median(sample.memory for sample in samples)),
        )
        for samples in taken_in_turn(*programs, rounds=rounds, warm=warm)
    ]
