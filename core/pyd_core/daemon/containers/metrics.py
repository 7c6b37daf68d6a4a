"""The kernel's counters of a control group, as structs of the Engine API.

Names and sources are those of Docker Engine 26 (`daemon/stats_unix.go`), whose numbers exporters read by name. Formats:
`Documentation/admin-guide/cgroup-v2.rst` and `cgroup-v1/` of the kernel, proc_pid_net(5).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pyd_core.linux.cgroup_stats import UNIFIED, physical_memory
from pyd_core.linux.procfs import shares_network
from pyd_core.model.stats import (
    BlockEntry,
    BlockStats,
    CpuStats,
    CpuUsage,
    InterfaceStats,
    MemoryStats,
    PidsStats,
    Throttling,
)

_TICK_NS = 10**9 // os.sysconf("SC_CLK_TCK")
_CPU_FIELDS = 7
"""How many fields of the first line of /proc/stat count: those before `steal`, as in Docker Engine."""


class Group:
    """A container's control group, by its directory in each hierarchy."""

    def __init__(self, directories: Mapping[str, str]) -> None:
        self._directories = directories

    def _read(self, controller: str, name: str) -> str:
        """Return a file's text; empty where there is none."""
        directory = self._directories.get(controller, self._directories.get(UNIFIED))
        if directory is None:
            return ""
        try:
            return Path(directory, name).read_text(encoding="ascii", errors="replace")
        except OSError:
            return ""

    def _fields(self, controller: str, name: str) -> dict[str, int]:
        """Return the numbers of a file with a name and a number on each line."""
        pairs = (line.split() for line in self._read(controller, name).splitlines())
        return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdecimal()}

    def _number(self, controller: str, name: str) -> int:
        """Return a file's only number; 0 for `max`, which means no limit."""
        text = self._read(controller, name).strip()
        return int(text) if text.isdecimal() else 0

    def cpu(self) -> CpuStats | None:
        """Return processor time; None when the group is gone."""
        v1 = "cpuacct" in self._directories
        if not self._read("cpuacct", "cpuacct.usage" if v1 else "cpu.stat"):
            return None
        stat = self._fields("cpu", "cpu.stat")
        if v1:
            split = self._fields("cpuacct", "cpuacct.stat")
            usage = CpuUsage(
                total_usage=self._number("cpuacct", "cpuacct.usage"),
                percpu_usage=[int(number) for number in self._read("cpuacct", "cpuacct.usage_percpu").split()],
                usage_in_kernelmode=split.get("system", 0) * _TICK_NS,
                usage_in_usermode=split.get("user", 0) * _TICK_NS,
            )
        else:
            usage = CpuUsage(
                total_usage=stat.get("usage_usec", 0) * 1000,
                usage_in_kernelmode=stat.get("system_usec", 0) * 1000,
                usage_in_usermode=stat.get("user_usec", 0) * 1000,
            )
        return CpuStats(
            cpu_usage=usage,
            system_cpu_usage=_system_cpu_ns(),
            online_cpus=os.sysconf("SC_NPROCESSORS_ONLN"),
            throttling_data=Throttling(
                periods=stat.get("nr_periods", 0),
                throttled_periods=stat.get("nr_throttled", 0),
                throttled_time=stat.get("throttled_time", stat.get("throttled_usec", 0) * 1000),
            ),
        )

    def memory(self) -> MemoryStats:
        """Return memory use with all file cache; clients subtract `inactive_file` themselves."""
        if "memory" in self._directories:
            usage, peak = (self._number("memory", f"memory.{kind}_in_bytes") for kind in ("usage", "max_usage"))
            limit = self._number("memory", "memory.limit_in_bytes")
            failures = self._number("memory", "memory.failcnt")
        else:
            usage, peak, limit = self._number("memory", "memory.current"), 0, self._number("memory", "memory.max")
            failures = self._fields("memory", "memory.events").get("oom", 0)
        return MemoryStats(
            usage=usage,
            max_usage=peak,
            limit=min(limit or physical_memory(), physical_memory()),
            failcnt=failures,
            stats=self._fields("memory", "memory.stat"),
        )

    def processes(self) -> PidsStats:
        """Return the number of processes and threads, and its limit."""
        return PidsStats(current=self._number("pids", "pids.current"), limit=self._number("pids", "pids.max"))

    def blocks(self) -> BlockStats:
        """Return block device use; the empty kinds were counted by the CFQ scheduler, which is gone."""
        if "blkio" in self._directories:
            return BlockStats(
                io_service_bytes_recursive=_entries(self._read("blkio", "blkio.throttle.io_service_bytes_recursive")),
                io_serviced_recursive=_entries(self._read("blkio", "blkio.throttle.io_serviced_recursive")),
                io_queue_recursive=[],
                io_service_time_recursive=[],
                io_wait_time_recursive=[],
                io_merged_recursive=[],
                io_time_recursive=[],
                sectors_recursive=[],
            )
        return BlockStats(io_service_bytes_recursive=_unified_entries(self._read("io", "io.stat")) or None)


def _entries(text: str) -> list[BlockEntry]:
    """Parse `8:0 Read 4096` lines; the line with the total of all devices has no device."""
    rows = (line.split() for line in text.splitlines())
    return [
        BlockEntry(major=int(major), minor=int(minor), op=row[1], value=int(row[2]))
        for row in rows
        if len(row) == 3 and row[2].isdecimal()
        for major, _, minor in [row[0].partition(":")]
    ]


def _unified_entries(text: str) -> list[BlockEntry]:
    """Parse `8:0 rbytes=4096 wbytes=0 …` lines."""
    entries: list[BlockEntry] = []
    for line in text.splitlines():
        device, _, rest = line.partition(" ")
        major, _, minor = device.partition(":")
        counts = dict(part.split("=", 1) for part in rest.split() if "=" in part)
        if not (major.isdecimal() and minor.isdecimal() and "rbytes" in counts):
            continue
        for name, key in (("read", "rbytes"), ("write", "wbytes")):
            entries.append(BlockEntry(major=int(major), minor=int(minor), op=name, value=int(counts.get(key, 0))))
    return entries


def _system_cpu_ns() -> int:
    with open("/proc/stat", "rb") as file:  # noqa: PTH123 - read once a second
        fields = file.readline().split()[1 : 1 + _CPU_FIELDS]
    return sum(map(int, fields)) * _TICK_NS


def interfaces(pid: int) -> dict[str, InterfaceStats]:
    """Return the counters of each interface but the loopback, by its name in the container.

    Empty where the process is gone, and where its network is the host's, whose traffic isn't the container's.
    """
    if shares_network(pid) is not False:
        return {}
    try:
        lines = Path(f"/proc/{pid}/net/dev").read_text(encoding="utf-8", errors="replace").splitlines()[2:]
    except OSError:
        return {}
    counters: dict[str, InterfaceStats] = {}
    for line in lines:
        name, _, rest = line.partition(":")
        counts = [int(number) for number in rest.split()]
        if name.strip() == "lo" or len(counts) < 12:
            continue
        counters[name.strip()] = InterfaceStats(
            rx_bytes=counts[0],
            rx_packets=counts[1],
            rx_errors=counts[2],
            rx_dropped=counts[3],
            tx_bytes=counts[8],
            tx_packets=counts[9],
            tx_errors=counts[10],
            tx_dropped=counts[11],
        )
    return counters
