"""A container's resource use, from local counters or the engine."""

from __future__ import annotations

import msgspec

from pyd_core.linux.cgroup_stats import Counters
from pyd_core.linux.procfs import NetworkCounters
from pyd_core.model.base import parse_time
from pyd_core.model.stats import ContainerStats


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """A container's use of resources at one moment; None is not known, or not yet: rates need two samples."""

    time_ns: int
    """Nanoseconds since the epoch."""
    cpu_percent: float | None = None
    """Percent of one processor: 200 is two of them busy."""
    memory_bytes: int | None = None
    """Without the file cache that can be dropped at once, as the docker CLI counts."""
    memory_limit: int | None = None
    """Bytes; None is no limit below the host's memory."""
    memory_peak: int | None = None
    """Bytes, with all file cache."""
    pids: int | None = None
    net_rx: float | None = None
    """Bytes a second, as the next three; None where the network is the host's."""
    net_tx: float | None = None
    block_read: float | None = None
    block_write: float | None = None
    throttled_ratio: float | None = None
    """Of the quota periods in which it wanted to run, the share in which it was held back; 0 without a quota."""


class Sample(msgspec.Struct, frozen=True):
    """Counters and when they were read."""

    time_ns: int
    """Nanoseconds since the epoch, to show."""
    at_ns: int
    """Nanoseconds of a clock that isn't set, to compute rates with."""
    counters: Counters
    network: NetworkCounters | None


def compute_usage(now: Sample, previous: Sample | None) -> Usage:
    """Return the usage at a sample, with rates since the previous one."""
    counters, network = now.counters, now.network
    seconds = 0.0 if previous is None else (now.at_ns - previous.at_ns) / 1e9
    usage_now = Usage(
        time_ns=now.time_ns,
        memory_bytes=counters.memory,
        memory_limit=counters.memory_limit,
        memory_peak=counters.memory_peak,
        pids=counters.pids,
    )
    if previous is None or seconds <= 0 or counters.cpu_ns < previous.counters.cpu_ns:
        return usage_now
    old, old_network = previous.counters, previous.network
    periods = _difference(counters.periods, old.periods)
    throttled = _difference(counters.throttled, old.throttled)
    return msgspec.structs.replace(
        usage_now,
        cpu_percent=(counters.cpu_ns - old.cpu_ns) / seconds / 1e7,
        net_rx=_rate(network and network.received, old_network and old_network.received, seconds),
        net_tx=_rate(network and network.sent, old_network and old_network.sent, seconds),
        block_read=_rate(counters.block_read, old.block_read, seconds),
        block_write=_rate(counters.block_write, old.block_write, seconds),
        throttled_ratio=None if throttled is None or periods is None else throttled / periods if periods else 0.0,
    )


def from_api(stats: ContainerStats, *, memory_limit: int | None) -> Sample | None:
    """Return a sample from the engine's stats; None if the container doesn't run.

    Args:
        stats: One document of `GET /containers/{id}/stats`.
        memory_limit: Bytes, from its configuration: without one, the engine reports the host's memory.
    """
    read_ns = parse_time(stats.read)
    if read_ns is None or not stats.cpu_stats.cpu_usage.total_usage:
        return None
    memory = stats.memory_stats
    cache = memory.stats.get("total_inactive_file", memory.stats.get("inactive_file", 0))
    blocks = {"read": 0, "write": 0}
    for entry in stats.blkio_stats.io_service_bytes_recursive or []:
        kind = entry.op.lower()
        if kind in blocks:
            blocks[kind] += entry.value
    throttling = stats.cpu_stats.throttling_data
    counters = Counters(
        cpu_ns=stats.cpu_stats.cpu_usage.total_usage,
        periods=throttling.periods,
        throttled=throttling.throttled_periods,
        memory=memory.usage - cache if cache < memory.usage else memory.usage,
        memory_limit=memory_limit,
        memory_peak=memory.max_usage or None,
        pids=stats.pids_stats.current,
        block_read=blocks["read"],
        block_write=blocks["write"],
    )
    interfaces = stats.networks.values()
    network = NetworkCounters(sum(face.rx_bytes for face in interfaces), sum(face.tx_bytes for face in interfaces))
    return Sample(read_ns, read_ns, counters, network if interfaces else None)


def _difference(now: int | None, before: int | None) -> int | None:
    return None if now is None or before is None else max(now - before, 0)


def _rate(now: int | None, before: int | None, seconds: float) -> float | None:
    change = _difference(now, before)
    return None if change is None else change / seconds
