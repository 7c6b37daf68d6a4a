"""The part of a container's configuration that depends on the host: limits, namespaces, mounts, rights."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from pyd_core.model.base import Wire


class RestartPolicy(Wire):
    """What to do when the container ends."""

    SPEC: ClassVar[str] = "RestartPolicy"

    name: str = ""
    """Empty, `no`, `always`, `unless-stopped` or `on-failure`."""
    maximum_retry_count: int = 0


class PortBinding(Wire):
    """Where on the host a port is published."""

    SPEC: ClassVar[str] = "PortBinding"

    host_ip: str = ""
    host_port: str = ""


class LogConfig(Wire):
    """Where output goes."""

    SPEC: ClassVar[str] = "HostConfig.LogConfig"

    type: str = ""
    config: dict[str, str] = {}


class BindOptions(Wire):
    """How a path of the host is bound."""

    SPEC: ClassVar[str] = "Mount.BindOptions"

    propagation: str = ""
    non_recursive: bool = False
    create_mountpoint: bool = False


class DriverConfig(Wire):
    """The driver that makes a volume."""

    SPEC: ClassVar[str] = "Mount.VolumeOptions.DriverConfig"

    name: str = ""
    options: dict[str, str] = {}


class VolumeOptions(Wire):
    """How a volume is made and mounted."""

    SPEC: ClassVar[str] = "Mount.VolumeOptions"

    no_copy: bool = False
    labels: dict[str, str] = {}
    driver_config: DriverConfig = DriverConfig()
    subpath: str = ""


class TmpfsOptions(Wire):
    """Size and mode of a tmpfs."""

    SPEC: ClassVar[str] = "Mount.TmpfsOptions"

    size_bytes: int = 0
    mode: int = 0


class Mount(Wire):
    """A mount asked for with `--mount`."""

    SPEC: ClassVar[str] = "Mount"

    target: str = ""
    source: str = ""
    type: str = ""
    read_only: bool = False
    bind_options: BindOptions | None = None
    volume_options: VolumeOptions | None = None
    tmpfs_options: TmpfsOptions | None = None


class Device(Wire):
    """A device of the host that a container may use."""

    SPEC: ClassVar[str] = "DeviceMapping"

    path_on_host: str = ""
    path_in_container: str = ""
    cgroup_permissions: str = ""
    """Of `rwm`."""


class Ulimit(Wire):
    """A resource limit of its processes, see setrlimit(2)."""

    SPEC: ClassVar[str] = "Resources.Ulimits[]"

    name: str = ""
    """Lower case, without `RLIMIT_`."""
    soft: int = 0
    hard: int = 0


class WeightDevice(Wire):
    """A device's share of block I/O."""

    SPEC: ClassVar[str] = "Resources.BlkioWeightDevice[]"

    path: str = ""
    weight: int = 0


class ThrottleDevice(Wire):
    """A device's limit of block I/O, bytes or operations a second."""

    SPEC: ClassVar[str] = "ThrottleDevice"

    path: str = ""
    rate: int = 0


class HostConfig(Wire):
    """The part of a container's configuration that depends on the host: limits, namespaces, mounts, rights."""

    SPEC: ClassVar[str] = "HostConfig"

    binds: list[str] = []
    log_config: LogConfig = LogConfig()
    network_mode: str = ""
    port_bindings: dict[str, list[PortBinding] | None] = {}
    restart_policy: RestartPolicy = RestartPolicy()
    auto_remove: bool = False
    cap_add: list[str] = []
    cap_drop: list[str] = []
    cgroupns_mode: str = ""
    dns: list[str] = []
    extra_hosts: list[str] = []
    ipc_mode: str = ""
    pid_mode: str = ""
    privileged: bool = False
    publish_all_ports: bool = False
    readonly_rootfs: bool = False
    security_opt: list[str] = []
    tmpfs: dict[str, str] = {}
    uts_mode: str = msgspec.field(name="UTSMode", default="")
    userns_mode: str = ""
    runtime: str = ""
    init: bool | None = None
    memory: int = 0
    """Bytes; 0 is no limit."""
    memory_swap: int = 0
    """Bytes of memory and swap together; -1 is no limit."""
    memory_reservation: int = 0
    nano_cpus: int = 0
    """Billionths of one processor; 0 is no limit."""
    cpu_shares: int = 0
    cpu_quota: int = 0
    cpu_period: int = 0
    cpuset_cpus: str = ""
    pids_limit: int | None = None
    ulimits: list[Ulimit] = []
    cgroup_parent: str = ""
    volumes_from: list[str] = []
    mounts: list[Mount] = []
    annotations: dict[str, str] = {}
    dns_options: list[str] = []
    dns_search: list[str] = []
    group_add: list[str] = []
    links: list[str] = []
    oom_score_adj: int = 0
    shm_size: int = 0
    """Bytes of /dev/shm; 0 is the engine's default."""
    sysctls: dict[str, str] = {}
    cpuset_mems: str = ""
    blkio_weight: int = 0
    """10 to 1000; 0 is the kernel's default."""
    blkio_weight_device: list[WeightDevice] = []
    blkio_device_read_bps: list[ThrottleDevice] = []
    blkio_device_write_bps: list[ThrottleDevice] = []
    blkio_device_read_iops: list[ThrottleDevice] = msgspec.field(name="BlkioDeviceReadIOps", default_factory=list)
    blkio_device_write_iops: list[ThrottleDevice] = msgspec.field(name="BlkioDeviceWriteIOps", default_factory=list)
    devices: list[Device] = []
    device_cgroup_rules: list[str] = []
    memory_swappiness: int | None = None
    """0 to 100; None inherits."""
    oom_kill_disable: bool = False
    masked_paths: list[str] | None = None
    readonly_paths: list[str] | None = None
