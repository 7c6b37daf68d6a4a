"""Limits: from the host configuration to `linux.resources` of the OCI runtime specification (config-linux.md)."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from pyd_core.errors import InvalidInput
from pyd_core.model.host_config import HostConfig
from pyd_core.model.resources import ThrottleDevice

CPU_PERIOD_US = 100_000
"""The period of a CPU quota."""
ULIMITS = frozenset(
    "as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack".split()  # noqa: SIM905 - easier to read
)
"""The resources that setrlimit(2) limits."""
MIN_CPU_SHARES, MAX_CPU_SHARES = 2, 262_144
"""The range that the kernel accepts."""
MIN_MEMORY_BYTES = 6 << 20
"""With less no runtime can start the process. Docker's bound."""


def check(host: HostConfig, processors: int, *, update: bool = False) -> None:
    """Refuse invalid limits, as Docker Engine does.

    Args:
        host: The request.
        processors: How many the host has.
        update: Whether the limits update a container's; unset fields keep its values.

    Raises:
        InvalidInput: One is out of range.
    """
    _check_memory(host, update=update)
    _check_cpu(host, processors)
    if host.blkio_weight and not 10 <= host.blkio_weight <= 1000:
        raise InvalidInput("Range of blkio weight is from 10 to 1000")
    if not -1000 <= host.oom_score_adj <= 1000:
        raise InvalidInput(f"Invalid value {host.oom_score_adj}, range for oom score adj is [-1000, 1000]")
    _check_ulimits(host)
    _check_block(host)
    if host.shm_size < 0:
        raise InvalidInput("SHM size can not be less than 0")
    _check_set(host.cpuset_cpus, "cpus", "CPUs", processors - 1)
    _check_set(host.cpuset_mems, "mems", "memory nodes", _last_node())


def _check_memory(host: HostConfig, *, update: bool) -> None:
    if host.memory < 0 or 0 < host.memory < MIN_MEMORY_BYTES:
        raise InvalidInput("Minimum memory limit allowed is 6MB")
    if host.memory_swap > 0 and not host.memory and not update:
        raise InvalidInput("You should always set the Memory limit when using Memoryswap limit, see usage")
    if 0 < host.memory_swap < host.memory:
        raise InvalidInput("Minimum memoryswap limit should be larger than memory limit, see usage")
    if host.memory_swap < -1:
        raise InvalidInput(f"Invalid memory swap limit {host.memory_swap}: -1 is no limit")
    if host.memory_reservation and host.memory_reservation < MIN_MEMORY_BYTES:
        raise InvalidInput("Minimum memory reservation allowed is 6MB")
    if host.memory_reservation and host.memory and host.memory < host.memory_reservation:
        raise InvalidInput("Minimum memory limit can not be less than memory reservation limit, see usage")
    if host.memory_swappiness is not None and not -1 <= host.memory_swappiness <= 100:
        raise InvalidInput(f"Invalid value: {host.memory_swappiness}, valid memory swappiness range is 0-100")


def _check_cpu(host: HostConfig, processors: int) -> None:
    if host.nano_cpus < 0 or host.nano_cpus > processors * 10**9:
        raise InvalidInput(
            f"Range of CPUs is from 0.01 to {processors:.2f}, as there are only {processors} CPUs available"
        )
    for other, name in ((host.cpu_period, "Period"), (host.cpu_quota, "Quota")):
        if host.nano_cpus and other > 0:
            raise InvalidInput(f"Conflicting options: Nano CPUs and CPU {name} cannot both be set")
    if host.cpu_shares < 0:
        raise InvalidInput(f"cpu.shares: invalid argument: {host.cpu_shares}")
    if host.cpu_shares and host.cpu_shares < MIN_CPU_SHARES:
        raise InvalidInput(f"the minimum allowed cpu-shares is {MIN_CPU_SHARES}")
    if host.cpu_shares > MAX_CPU_SHARES:
        raise InvalidInput(f"the maximum allowed cpu-shares is {MAX_CPU_SHARES}")
    if host.cpu_period and not 1_000 <= host.cpu_period <= 1_000_000:
        raise InvalidInput("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)")
    if 0 < host.cpu_quota < 1_000:
        raise InvalidInput("CPU cfs quota can not be less than 1ms (i.e. 1000)")
    if host.cpu_realtime_period < 0 or host.cpu_realtime_runtime < -1:
        raise InvalidInput("the period and runtime of real-time processes are microseconds, from 0")
    if host.cpu_realtime_period and host.cpu_realtime_runtime > host.cpu_realtime_period:
        raise InvalidInput("cpu real-time runtime cannot be higher than cpu real-time period")


def _check_ulimits(host: HostConfig) -> None:
    for ulimit in host.ulimits:
        if ulimit.name not in ULIMITS:
            raise InvalidInput(f"invalid ulimit type: {ulimit.name[:40]}", hint=f"one of {', '.join(sorted(ULIMITS))}")
        if 0 <= ulimit.hard < ulimit.soft or (ulimit.soft < 0 <= ulimit.hard):
            raise InvalidInput(
                f"ulimit soft limit must be less than or equal to hard limit: {ulimit.soft} > {ulimit.hard}"
            )


def _check_block(host: HostConfig) -> None:
    for device in host.blkio_weight_device:
        if not 10 <= device.weight <= 1000:
            raise InvalidInput(f"Range of blkio weight is from 10 to 1000, not {device.weight} for {device.path[:80]}")
    for limit in (
        *host.blkio_device_read_bps,
        *host.blkio_device_write_bps,
        *host.blkio_device_read_iops,
        *host.blkio_device_write_iops,
    ):
        if limit.rate < 0:
            raise InvalidInput(f"invalid rate for device {limit.path[:80]}: {limit.rate} is below 0")


def _last_node() -> int:
    try:
        return int(Path("/sys/devices/system/node/possible").read_text().strip().rpartition("-")[2])
    except (OSError, ValueError):
        return 0


def _check_set(text: str, kind: str, name: str, last: int) -> None:
    if not text:
        return
    parts = [part.partition("-") for part in text.split(",")]
    for low, dash, high in parts:
        if not low.isdecimal() or (dash and (not high.isdecimal() or int(high) < int(low))):
            raise InvalidInput(f"Invalid value {text[:60]} for cpuset {kind}: invalid format: {text[:60]}")
    if any(int(high or low) > last for low, _, high in parts):
        raise InvalidInput(f"Requested {name} are not available - requested {text[:60]}, available: 0-{last}")


def plan(host: HostConfig) -> dict[str, Any]:
    """Return the limits that are set."""
    period, quota = host.cpu_period, host.cpu_quota
    if host.nano_cpus:
        period, quota = CPU_PERIOD_US, host.nano_cpus * CPU_PERIOD_US // 10**9
    memory = {
        "limit": host.memory or None,
        "swap": (host.memory_swap or host.memory * 2) or None,
        "reservation": host.memory_reservation or None,
        "swappiness": host.memory_swappiness if (host.memory_swappiness or 0) >= 0 else None,
        "disableOOMKiller": host.oom_kill_disable or None,
    }
    cpu = {
        "shares": host.cpu_shares or None,
        "period": period or None,
        "quota": quota or None,
        "cpus": host.cpuset_cpus or None,
        "mems": host.cpuset_mems or None,
        "realtimePeriod": host.cpu_realtime_period or None,
        "realtimeRuntime": host.cpu_realtime_runtime or None,
    }
    groups = {
        "memory": _requested(memory),
        "cpu": _requested(cpu),
        "pids": {"limit": host.pids_limit} if host.pids_limit else {},
        "blockIO": _block(host),
    }
    return {name: limits for name, limits in groups.items() if limits}


def _requested(limits: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in limits.items() if value is not None}


def _block(host: HostConfig) -> dict[str, Any]:
    requested: dict[str, Any] = {}
    if host.blkio_weight:
        requested["weight"] = host.blkio_weight
    if host.blkio_weight_device:
        requested["weightDevice"] = [
            {**_device(weight.path), "weight": weight.weight} for weight in host.blkio_weight_device
        ]
    limits: tuple[tuple[str, list[ThrottleDevice]], ...] = (
        ("throttleReadBpsDevice", host.blkio_device_read_bps),
        ("throttleWriteBpsDevice", host.blkio_device_write_bps),
        ("throttleReadIOPSDevice", host.blkio_device_read_iops),
        ("throttleWriteIOPSDevice", host.blkio_device_write_iops),
    )
    for name, devices in limits:
        if devices:
            requested[name] = [{**_device(throttle.path), "rate": throttle.rate} for throttle in devices]
    return requested


def _device(path: str) -> dict[str, int]:
    try:
        status = os.stat(path)  # noqa: PTH116 - only the numbers matter
    except OSError as error:
        raise InvalidInput(f"block device {path}: {error.strerror}") from error
    if not stat.S_ISBLK(status.st_mode):
        raise InvalidInput(f"{path} is no block device")
    return {"major": os.major(status.st_rdev), "minor": os.minor(status.st_rdev)}
