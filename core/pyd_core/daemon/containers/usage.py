"""The processes and resource use of containers, from their control groups and /proc."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec

from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.containers.metrics import Group, interfaces
from pyd_core.daemon.runtime import subprocesses
from pyd_core.errors import Conflict, EngineError, InvalidInput
from pyd_core.linux.cgroup_names import group_named
from pyd_core.linux.cgroup_stats import UNIFIED, read_groups, read_mounts
from pyd_core.model.base import format_time
from pyd_core.model.container import Processes
from pyd_core.model.stats import ContainerStats, CpuStats


def cgroup_directories(container: EngineContainer) -> dict[str, str]:
    """Return the directory of a container's control group in each hierarchy."""
    main = container.record.main
    groups = read_groups(main.pid) if main is not None else None
    cgroup_paths: dict[str, str] = {}
    for name, mount in read_mounts().items():
        group = group_named((groups or {}).get(name, ""), container.id)
        if group is not None:
            cgroup_paths[name] = mount.directory(group)
    return cgroup_paths


def pids(container: EngineContainer) -> list[int]:
    """Return the pids of a container's processes on the host.

    Raises:
        Conflict: It doesn't run.
    """
    if not container.record.running:
        raise Conflict(f"container {container.id} is not running")
    cgroup_paths = cgroup_directories(container)
    cgroup_path = cgroup_paths.get("pids") or cgroup_paths.get("devices") or cgroup_paths.get(UNIFIED)
    numbers: list[int] = []
    if cgroup_path:
        for directory, _, _ in os.walk(cgroup_path):
            numbers += map(int, (Path(directory) / "cgroup.procs").read_text().split())
    return numbers


async def processes(container: EngineContainer, arguments: str) -> Processes:
    """Return the output of the host's `ps` for a container's processes.

    Raises:
        InvalidInput: `ps` doesn't take these arguments, or its output has no PID column.
        Conflict: It doesn't run.
    """
    pid_texts = set(map(str, pids(container)))
    done = await subprocesses.run(["ps", *(arguments.split() or ["-ef"])])
    if done.code != 0:
        raise EngineError(f"ps: {done.err.decode(errors='replace').strip()[:200]}", status=400)
    lines = done.out.decode(errors="replace").splitlines()
    titles = lines[0].split()
    if "PID" not in titles:
        raise InvalidInput("Couldn't find PID field in ps output")
    column = titles.index("PID")
    rows = [line.split(None, len(titles) - 1) for line in lines[1:]]
    return Processes(titles=titles, processes=[row for row in rows if len(row) > column and row[column] in pid_texts])


NEVER = "0001-01-01T00:00:00Z"
"""Go's zero time, which clients parse: an empty text would be an error to them."""


class Sampler:
    """Takes samples, each with the processor times of the previous one."""

    def __init__(self, container: EngineContainer) -> None:
        self._container = container
        self._before = CpuStats()
        self._before_at = NEVER

    def sample(self) -> ContainerStats:
        """Return a sample; all zero where the container doesn't run."""
        record = self._container.record
        empty = ContainerStats(
            id=record.id, name=f"/{record.name}", read=NEVER, preread=self._before_at, precpu_stats=self._before
        )
        if not record.running or record.main is None:
            return empty
        group = Group(cgroup_directories(self._container))
        cpu, now = group.cpu(), format_time(time.time_ns())
        if cpu is None:
            return empty
        sample = msgspec.structs.replace(
            empty,
            read=now,
            cpu_stats=cpu,
            memory_stats=group.memory(),
            pids_stats=group.processes(),
            blkio_stats=group.blocks(),
            networks=interfaces(record.main.pid),
        )
        self._before, self._before_at = cpu, now
        return sample
