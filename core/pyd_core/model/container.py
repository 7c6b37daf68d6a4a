"""Containers: the line in a list, and all that inspect tells."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from pyd_core.model.base import Wire, parse_time
from pyd_core.model.network import EndpointSettings

COMPOSE_PROJECT = "com.docker.compose.project"
"""Label that Compose sets on all it makes; Podman's compose providers set it too."""
COMPOSE_SERVICE = "com.docker.compose.service"


class Port(Wire):
    """A port of a container, published or merely exposed."""

    SPEC: ClassVar[str] = "Port"

    private_port: int
    type: str = "tcp"
    """`tcp`, `udp` or `sctp`."""
    public_port: int | None = None
    ip: str = msgspec.field(name="IP", default="")
    """The host address it is published on; empty when it isn't."""


class MountPoint(Wire):
    """A mount inside a container, as inspect and list report it."""

    SPEC: ClassVar[str] = "MountPoint"

    type: str = ""
    """`bind`, `volume`, `tmpfs`, `npipe` or `cluster`."""
    name: str = ""
    """The volume's name, for volumes."""
    source: str = ""
    """The path on the engine's host."""
    destination: str = ""
    driver: str = ""
    mode: str = ""
    rw: bool = msgspec.field(name="RW", default=True)
    propagation: str = ""


class SummaryHostConfig(Wire):
    """The part of the host configuration that a list line carries."""

    SPEC: ClassVar[str] = "ContainerSummary.HostConfig"

    network_mode: str = ""


class SummaryNetworks(Wire):
    """The networks that a list line carries."""

    SPEC: ClassVar[str] = "ContainerSummary.NetworkSettings"

    networks: dict[str, EndpointSettings] = {}


class ContainerSummary(Wire):
    """One line of `GET /containers/json`."""

    SPEC: ClassVar[str] = "ContainerSummary"

    id: str
    names: list[str] = []
    """Each with a leading slash; the container's own name first unless links add others."""
    image: str = ""
    """The image as its creator wrote it; a digest when that name has moved on."""
    image_id: str = msgspec.field(name="ImageID", default="")
    command: str = ""
    created: int = 0
    """Seconds since the epoch."""
    ports: list[Port] = []
    size_rw: int | None = None
    """Bytes in the writable layer; only with `size=1`."""
    size_root_fs: int | None = None
    labels: dict[str, str] = {}
    state: str = ""
    """`created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`."""
    status: str = ""
    """In words for people, such as `Exited (137) 2 minutes ago`; health is only told here."""
    host_config: SummaryHostConfig = SummaryHostConfig()
    network_settings: SummaryNetworks = SummaryNetworks()
    mounts: list[MountPoint] = []

    @property
    def name(self) -> str:
        """The container's own name, without the slash; its short id if it has none."""
        own = [name[1:] for name in self.names if name.startswith("/") and "/" not in name[1:]]
        plain = [name for name in self.names if name and "/" not in name]  # Podman's have no slash in some versions
        return (own or plain or [self.id[:12]])[0]

    @property
    def project(self) -> str:
        """The Compose project it belongs to, or an empty text."""
        return self.labels.get(COMPOSE_PROJECT, "")

    @property
    def service(self) -> str:
        """The Compose service it is one of, or an empty text."""
        return self.labels.get(COMPOSE_SERVICE, "")


class HealthResult(Wire):
    """One run of a health probe."""

    SPEC: ClassVar[str] = "HealthcheckResult"

    start: str = ""
    end: str = ""
    exit_code: int = 0
    """0 healthy, 1 unhealthy, 2 reserved (counts as unhealthy); others: the probe itself failed."""
    output: str = ""


class Health(Wire):
    """What the health probes found."""

    SPEC: ClassVar[str] = "Health"

    status: str = ""
    """`none`, `starting`, `healthy` or `unhealthy`."""
    failing_streak: int = 0
    log: list[HealthResult] = []


class ContainerState(Wire):
    """What a container is doing, or how it ended."""

    SPEC: ClassVar[str] = "ContainerState"

    status: str = ""
    running: bool = False
    """True while paused too."""
    paused: bool = False
    restarting: bool = False
    oom_killed: bool = msgspec.field(name="OOMKilled", default=False)
    """The engine's flag: also set when only a child was killed, and sometimes missed. Never a verdict by itself."""
    dead: bool = False
    pid: int = 0
    """The main process on the engine's host; 0 when it doesn't run."""
    exit_code: int = 0
    error: str = ""
    started_at: str = ""
    finished_at: str = ""
    health: Health | None = None

    @property
    def started_ns(self) -> int | None:
        """When it last started, nanoseconds since the epoch; None if never."""
        return parse_time(self.started_at)

    @property
    def finished_ns(self) -> int | None:
        """When it last ended, nanoseconds since the epoch; None if never."""
        return parse_time(self.finished_at)


class HealthConfig(Wire):
    """How health is probed."""

    SPEC: ClassVar[str] = "HealthConfig"

    test: list[str] = []
    """`["NONE"]`, `["CMD", …]` or `["CMD-SHELL", LINE]`; empty inherits the image's."""
    interval: int = 0
    """Nanoseconds, as the next three."""
    timeout: int = 0
    retries: int = 0
    start_period: int = 0
    start_interval: int = 0


class ContainerConfig(Wire):
    """The portable part of a container's configuration, taken from image and creation."""

    SPEC: ClassVar[str] = "ContainerConfig"

    hostname: str = ""
    domainname: str = ""
    user: str = ""
    """`name`, `uid`, `name:group` or `uid:gid`; empty is root."""
    attach_stdin: bool = False
    attach_stdout: bool = False
    attach_stderr: bool = False
    exposed_ports: dict[str, dict[str, str]] = {}
    tty: bool = False
    open_stdin: bool = False
    stdin_once: bool = False
    env: list[str] = []
    """`NAME=VALUE`, in order."""
    cmd: list[str] | None = None
    healthcheck: HealthConfig | None = None
    image: str = ""
    volumes: dict[str, dict[str, str]] = {}
    working_dir: str = ""
    entrypoint: list[str] | str | None = None
    labels: dict[str, str] = {}
    stop_signal: str | None = None
    stop_timeout: int | None = None
    """Seconds."""


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


class GraphDriver(Wire):
    """Where the container's layers lie on the engine's host."""

    SPEC: ClassVar[str] = "GraphDriverData"

    name: str = ""
    data: dict[str, str] = {}
    """For overlay2: `LowerDir`, `UpperDir`, `WorkDir`, `MergedDir`."""


class NetworkSettings(Wire):
    """A container's networks and published ports."""

    SPEC: ClassVar[str] = "NetworkSettings"

    sandbox_id: str = msgspec.field(name="SandboxID", default="")
    gateway: str = ""
    """Of the default bridge alone, as the next three; the other networks' are in `networks`."""
    ip_address: str = msgspec.field(name="IPAddress", default="")
    ip_prefix_len: int = msgspec.field(name="IPPrefixLen", default=0)
    mac_address: str = ""
    sandbox_key: str = ""
    ports: dict[str, list[PortBinding] | None] = {}
    networks: dict[str, EndpointSettings] = {}


class Container(Wire):
    """All that `GET /containers/{id}/json` tells."""

    SPEC: ClassVar[str] = "GET /containers/{id}/json 200"

    id: str
    created: str = ""
    path: str = ""
    """The program started: entrypoint and command resolved."""
    args: list[str] = []
    state: ContainerState = ContainerState()
    image: str = ""
    """The image's id, `sha256:…`."""
    resolv_conf_path: str = ""
    hostname_path: str = ""
    hosts_path: str = ""
    log_path: str = ""
    name_: str = msgspec.field(name="Name", default="")
    restart_count: int = 0
    driver: str = ""
    platform: str = ""
    mount_label: str = ""
    process_label: str = ""
    app_armor_profile: str = ""
    exec_ids: list[str] | None = msgspec.field(name="ExecIDs", default=None)
    host_config: HostConfig = HostConfig()
    graph_driver: GraphDriver = GraphDriver()
    size_rw: int | None = None
    size_root_fs: int | None = None
    mounts: list[MountPoint] = []
    config: ContainerConfig = ContainerConfig()
    network_settings: NetworkSettings = NetworkSettings()

    @property
    def name(self) -> str:
        """Its name, without the slash."""
        return self.name_.removeprefix("/")


class Processes(Wire):
    """The processes in a container, as `ps` on the engine's host prints them."""

    SPEC: ClassVar[str] = "GET /containers/{id}/top 200"

    titles: list[str] = []
    processes: list[list[str]] = []


class Change(Wire):
    """A path that differs from the image."""

    SPEC: ClassVar[str] = "FilesystemChange"

    path: str
    kind: int
    """0 modified, 1 added, 2 deleted."""


class WaitResult(Wire):
    """How a container ended, from `POST /containers/{id}/wait`."""

    SPEC: ClassVar[str] = "ContainerWaitResponse"

    status_code: int = 0
    error: WaitError | None = None


class WaitError(Wire):
    """Why waiting failed."""

    SPEC: ClassVar[str] = "ContainerWaitExitError"

    message: str = ""


class Created(Wire):
    """The answer to creating a container."""

    SPEC: ClassVar[str] = "ContainerCreateResponse"

    id: str
    warnings: list[str] = []


class Pruned(Wire):
    """What removing the unused containers freed."""

    SPEC: ClassVar[str] = "POST /containers/prune 200"

    containers_deleted: list[str] = []
    space_reclaimed: int = 0
    """Bytes."""
