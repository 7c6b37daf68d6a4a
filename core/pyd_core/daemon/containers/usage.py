"""Processes and resource use of a running container, from its control group and /proc."""

from __future__ import annotations

import os
import time
from pathlib import Path

from pyd_core.daemon.containers.container import Container
from pyd_core.daemon.runtime import children
from pyd_core.errors import Conflict, EngineError, InvalidInput
from pyd_core.linux.cgroup_stats import UNIFIED, GroupReader, group_named, read_groups, read_mounts
from pyd_core.linux.procfs import read_network
from pyd_core.model.base import format_time
from pyd_core.model.container import Processes
from pyd_core.model.stats import (
    BlockEntry,
    BlockStats,
    ContainerStats,
    CpuStats,
    CpuUsage,
    InterfaceStats,
    MemoryStats,
    PidsStats,
    Throttling,
)


def directories(container: Container) -> dict[str, str]:
    """Its control group's directory in each hierarchy."""
    main = container.record.main
    groups = read_groups(main.pid) if main is not None else None
    found: dict[str, str] = {}
    for name, mount in read_mounts().items():
        group = group_named((groups or {}).get(name, ""), container.id)
        if group is not None:
            found[name] = mount.directory(group)
    return found


def pids(container: Container) -> list[int]:
    """The processes in it, by their number on the host.

    Raises:
        Conflict: It doesn't run.
    """
    if not container.record.running:
        raise Conflict(f"container {container.id} is not running")
    found = directories(container)
    place = found.get("pids") or found.get("devices") or found.get(UNIFIED)
    numbers: list[int] = []
    if place:
        for directory, _, _ in os.walk(place):
            numbers += map(int, (Path(directory) / "cgroup.procs").read_text().split())
    return numbers


async def processes(container: Container, arguments: str) -> Processes:
    """What the host's `ps` says of them.

    Raises:
        InvalidInput: `ps` doesn't take these arguments, or its output has no PID column.
        Conflict: It doesn't run.
    """
    wanted = set(map(str, pids(container)))
    done = await children.run(["ps", *(arguments.split() or ["-ef"])])
    if done.code != 0:
        raise EngineError(f"ps: {done.err.decode(errors='replace').strip()[:200]}", status=400)
    lines = done.out.decode(errors="replace").splitlines()
    titles = lines[0].split()
    if "PID" not in titles:
        raise InvalidInput("Couldn't find PID field in ps output")
    column = titles.index("PID")
    rows = [line.split(None, len(titles) - 1) for line in lines[1:]]
    return Processes(titles=titles, processes=[row for row in rows if len(row) > column and row[column] in wanted])


def _system_ns() -> int:
    with open("/proc/stat", "rb") as file:  # noqa: PTH123 - read once a second
        fields = file.readline().split()[1:9]
    return sum(map(int, fields)) * (10**9 // os.sysconf("SC_CLK_TCK"))


class Sampler:
    """Takes one sample after the other, each with the processor's numbers of the one before."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._reader = GroupReader(directories(container)) if container.record.running else None
        self._before = CpuStats()
        self._before_at = "0001-01-01T00:00:00Z"

    def sample(self) -> ContainerStats:
        """Returns a sample; all zero where the container doesn't run."""
        record = self._container.record
        now = format_time(time.time_ns())
        counters = self._reader.read() if self._reader is not None and record.running else None
        if counters is None:
            return ContainerStats(id=record.id, name=f"/{record.name}", read="0001-01-01T00:00:00Z")
        cpu = CpuStats(
            cpu_usage=CpuUsage(total_usage=counters.cpu_ns),
            system_cpu_usage=_system_ns(),
            online_cpus=os.cpu_count() or 1,
            throttling_data=Throttling(periods=counters.periods or 0, throttled_periods=counters.throttled or 0),
        )
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        blocks = [
            BlockEntry(op=name, value=value)
            for name, value in (("read", counters.block_read), ("write", counters.block_write))
            if value is not None
        ]
        network = read_network(record.main.pid) if record.main is not None else None
        sample = ContainerStats(
            id=record.id,
            name=f"/{record.name}",
            read=now,
            preread=self._before_at,
            cpu_stats=cpu,
            precpu_stats=self._before,
            memory_stats=MemoryStats(
                usage=counters.memory or 0,
                max_usage=counters.memory_peak or 0,
                limit=counters.memory_limit or memory,
            ),
            pids_stats=PidsStats(current=counters.pids or 0, limit=record.host.pids_limit or 0),
            blkio_stats=BlockStats(io_service_bytes_recursive=blocks),
            networks=(
                {"eth0": InterfaceStats(rx_bytes=network.received, tx_bytes=network.sent)}
                if network is not None and record.network_mode not in {"none", "host"}
                else {}
            ),
        )
        self._before, self._before_at = cpu, now
        return sample
