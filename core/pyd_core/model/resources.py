"""Resources of the host for a container: memory, processors, processes, block I/O, devices."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from pyd_core.model.base import ApiStruct


class DeviceMapping(ApiStruct):
    """Device of the host for use in a container."""

    SPEC: ClassVar[str] = "DeviceMapping"

    path_on_host: str = ""
    path_in_container: str = ""
    cgroup_permissions: str = ""
    """Letters of `rwm`."""


class Ulimit(ApiStruct):
    """Resource limit of its processes, see setrlimit(2)."""

    SPEC: ClassVar[str] = "Resources.Ulimits[]"

    name: str = ""
    """Lower case, without `RLIMIT_`."""
    soft: int = 0
    hard: int = 0


class WeightDevice(ApiStruct):
    """Share of block I/O on a device."""

    SPEC: ClassVar[str] = "Resources.BlkioWeightDevice[]"

    path: str = ""
    weight: int = 0


class ThrottleDevice(ApiStruct):
    """Limit of block I/O on a device, in bytes or operations a second."""

    SPEC: ClassVar[str] = "ThrottleDevice"

    path: str = ""
    rate: int = 0


class DeviceRequest(ApiStruct):
    """Devices that a driver chooses, such as GPUs."""

    SPEC: ClassVar[str] = "DeviceRequest"

    driver: str = ""
    count: int = 0
    """Number of devices; -1 is all."""
    device_ids: list[str] | None = msgspec.field(name="DeviceIDs", default=None)
    capabilities: list[list[str]] = []
    """Alternative sets of capabilities; devices must have all of one set."""
    options: dict[str, str] = {}


class Resources(ApiStruct):
    """Limits and reservations of a container."""

    SPEC: ClassVar[str] = "Resources"

    memory: int = 0
    """Bytes; 0 is unlimited."""
    memory_swap: int = 0
    """Bytes of memory and swap together; -1 is unlimited."""
    memory_reservation: int = 0
    nano_cpus: int = 0
    """Billionths of a processor; 0 is unlimited."""
    cpu_shares: int = 0
    cpu_quota: int = 0
    cpu_period: int = 0
    cpuset_cpus: str = ""
    cpuset_mems: str = ""
    pids_limit: int | None = None
    ulimits: list[Ulimit] = []
    cgroup_parent: str = ""
    blkio_weight: int = 0
    """10 to 1000; 0 is the kernel's default."""
    blkio_weight_device: list[WeightDevice] = []
    blkio_device_read_bps: list[ThrottleDevice] = []
    blkio_device_write_bps: list[ThrottleDevice] = []
    blkio_device_read_iops: list[ThrottleDevice] = msgspec.field(name="BlkioDeviceReadIOps", default_factory=list)
    blkio_device_write_iops: list[ThrottleDevice] = msgspec.field(name="BlkioDeviceWriteIOps", default_factory=list)
    devices: list[DeviceMapping] = []
    device_cgroup_rules: list[str] = []
    memory_swappiness: int | None = None
    """0 to 100; None inherits."""
    oom_kill_disable: bool = False
    cpu_realtime_period: int = 0
    """Microseconds, like the next one."""
    cpu_realtime_runtime: int = 0
    device_requests: list[DeviceRequest] = []
