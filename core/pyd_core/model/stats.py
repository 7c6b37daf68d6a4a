"""Resource usage of a container, from `GET /containers/{id}/stats`.

The contract defines the body as a free-form object, so the shapes are those of Docker Engine 26 and Podman 5. The
dashboard shows `pyd_core.watch.stats.Usage`, which is also computed from cgroup files.
"""

from __future__ import annotations

from typing import ClassVar

from pyd_core.model.base import ApiStruct


class _Counter(ApiStruct, rename=None):
    """Base class for types with lower-case names, unlike the rest of the API."""

    SPEC: ClassVar[str] = ""


class CpuUsage(_Counter):
    """Processor time in nanoseconds."""

    total_usage: int = 0
    percpu_usage: list[int] = []
    """Per processor; cgroup v2 doesn't count it."""
    usage_in_kernelmode: int = 0
    usage_in_usermode: int = 0


class Throttling(_Counter):
    """Periods, and nanoseconds in which the quota throttled it."""

    periods: int = 0
    throttled_periods: int = 0
    throttled_time: int = 0


class CpuStats(_Counter):
    """Processor usage; `system_cpu_usage` is the time of all processors in nanoseconds."""

    cpu_usage: CpuUsage = CpuUsage()
    system_cpu_usage: int = 0
    online_cpus: int = 0
    throttling_data: Throttling = Throttling()


class MemoryStats(_Counter):
    """Memory usage in bytes; `stats` is the cgroup's memory.stat."""

    usage: int = 0
    max_usage: int = 0
    limit: int = 0
    failcnt: int = 0
    """Number of times the limit was hit."""
    stats: dict[str, int] = {}


class PidsStats(_Counter):
    """Number of processes and threads; a limit of 0 is unlimited."""

    current: int = 0
    limit: int = 0


class InterfaceStats(_Counter):
    """Bytes and packets of an interface."""

    rx_bytes: int = 0
    rx_packets: int = 0
    rx_errors: int = 0
    rx_dropped: int = 0
    tx_bytes: int = 0
    tx_packets: int = 0
    tx_errors: int = 0
    tx_dropped: int = 0


class BlockEntry(_Counter):
    """Bytes of one kind of access to a device."""

    major: int = 0
    minor: int = 0
    op: str = ""
    """`read` or `write`, in either case."""
    value: int = 0


class BlockStats(_Counter):
    """Block device usage; None is not counted."""

    io_service_bytes_recursive: list[BlockEntry] | None = None
    io_serviced_recursive: list[BlockEntry] | None = None
    io_queue_recursive: list[BlockEntry] | None = None
    io_service_time_recursive: list[BlockEntry] | None = None
    io_wait_time_recursive: list[BlockEntry] | None = None
    io_merged_recursive: list[BlockEntry] | None = None
    io_time_recursive: list[BlockEntry] | None = None
    sectors_recursive: list[BlockEntry] | None = None


class ContainerStats(_Counter):
    """Sample of a container's resource usage."""

    id: str = ""
    name: str = ""
    read: str = ""
    preread: str = ""
    cpu_stats: CpuStats = CpuStats()
    precpu_stats: CpuStats = CpuStats()
    memory_stats: MemoryStats = MemoryStats()
    pids_stats: PidsStats = PidsStats()
    blkio_stats: BlockStats = BlockStats()
    networks: dict[str, InterfaceStats] = {}
