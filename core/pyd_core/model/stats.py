"""Resource use of a container, as `GET /containers/{id}/stats` sends it.

The contract calls the whole body a free-form object, so the shapes are those of Docker Engine 26 and Podman 5. What is
shown is `pyd_core.watch.stats.Usage`, which the cgroup files feed too.
"""

from __future__ import annotations

from typing import ClassVar

from pyd_core.model.base import ApiStruct


class _Counter(ApiStruct, rename=None):
    """Lower-case names, unlike the rest of the API."""

    SPEC: ClassVar[str] = ""


class CpuUsage(_Counter):
    """Processor time in nanoseconds."""

    total_usage: int = 0
    percpu_usage: list[int] = []
    """By processor; cgroup v2 doesn't count it."""
    usage_in_kernelmode: int = 0
    usage_in_usermode: int = 0


class Throttling(_Counter):
    """How often and how long (nanoseconds) the quota held it back."""

    periods: int = 0
    throttled_periods: int = 0
    throttled_time: int = 0


class CpuStats(_Counter):
    """Processor use; `system_cpu_usage` is all processors' time in nanoseconds."""

    cpu_usage: CpuUsage = CpuUsage()
    system_cpu_usage: int = 0
    online_cpus: int = 0
    throttling_data: Throttling = Throttling()


class MemoryStats(_Counter):
    """Memory use in bytes; `stats` holds the cgroup's memory.stat."""

    usage: int = 0
    max_usage: int = 0
    limit: int = 0
    failcnt: int = 0
    """How often the limit was hit."""
    stats: dict[str, int] = {}


class PidsStats(_Counter):
    """Processes and threads; a limit of 0 is none."""

    current: int = 0
    limit: int = 0


class InterfaceStats(_Counter):
    """Bytes and packets of one interface."""

    rx_bytes: int = 0
    rx_packets: int = 0
    rx_errors: int = 0
    rx_dropped: int = 0
    tx_bytes: int = 0
    tx_packets: int = 0
    tx_errors: int = 0
    tx_dropped: int = 0


class BlockEntry(_Counter):
    """Bytes of one kind of access to one device."""

    major: int = 0
    minor: int = 0
    op: str = ""
    """`read` or `write`, in either case."""
    value: int = 0


class BlockStats(_Counter):
    """Block device use; None is not counted here."""

    io_service_bytes_recursive: list[BlockEntry] | None = None
    io_serviced_recursive: list[BlockEntry] | None = None
    io_queue_recursive: list[BlockEntry] | None = None
    io_service_time_recursive: list[BlockEntry] | None = None
    io_wait_time_recursive: list[BlockEntry] | None = None
    io_merged_recursive: list[BlockEntry] | None = None
    io_time_recursive: list[BlockEntry] | None = None
    sectors_recursive: list[BlockEntry] | None = None


class ContainerStats(_Counter):
    """One sample of a container's resource use."""

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
