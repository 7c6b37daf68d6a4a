"""The part of a container's configuration that depends on the host: limits, namespaces, mounts, rights."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from pyd_core.model.base import ApiStruct
from pyd_core.model.resources import Resources


class RestartPolicy(ApiStruct):
    """What to do when the container ends."""

    SPEC: ClassVar[str] = "RestartPolicy"

    name: str = ""
    """Empty, `no`, `always`, `unless-stopped` or `on-failure`."""
    maximum_retry_count: int = 0


class PortBinding(ApiStruct):
    """Where on the host a port is published."""

    SPEC: ClassVar[str] = "PortBinding"

    host_ip: str = ""
    host_port: str = ""


class LogConfig(ApiStruct):
    """Where output goes."""

    SPEC: ClassVar[str] = "HostConfig.LogConfig"

    type: str = ""
    config: dict[str, str] = {}


class BindOptions(ApiStruct):
    """How a path of the host is bound."""

    SPEC: ClassVar[str] = "Mount.BindOptions"

    propagation: str = ""
    non_recursive: bool = False
    create_mountpoint: bool = False
    read_only_non_recursive: bool = False
    """What is mounted below stays writable."""
    read_only_force_recursive: bool = False
    """Fail where what is mounted below can't be made read-only."""


class DriverConfig(ApiStruct):
    """The driver that makes a volume."""

    SPEC: ClassVar[str] = "Mount.VolumeOptions.DriverConfig"

    name: str = ""
    options: dict[str, str] = {}


class VolumeOptions(ApiStruct):
    """How a volume is made and mounted."""

    SPEC: ClassVar[str] = "Mount.VolumeOptions"

    no_copy: bool = False
    labels: dict[str, str] = {}
    driver_config: DriverConfig = DriverConfig()
    subpath: str = ""


class TmpfsOptions(ApiStruct):
    """Size and mode of a tmpfs."""

    SPEC: ClassVar[str] = "Mount.TmpfsOptions"

    size_bytes: int = 0
    mode: int = 0


class MountConfig(ApiStruct):
    """A mount asked for with `--mount`."""

    SPEC: ClassVar[str] = "Mount"

    target: str = ""
    source: str = ""
    type: str = ""
    read_only: bool = False
    consistency: str = ""
    bind_options: BindOptions | None = None
    volume_options: VolumeOptions | None = None
    tmpfs_options: TmpfsOptions | None = None


class HostConfig(Resources):
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
    volumes_from: list[str] = []
    mounts: list[MountConfig] = []
    annotations: dict[str, str] = {}
    dns_options: list[str] = []
    dns_search: list[str] = []
    group_add: list[str] = []
    links: list[str] = []
    oom_score_adj: int = 0
    shm_size: int = 0
    """Bytes of /dev/shm; 0 is the engine's default."""
    sysctls: dict[str, str] = {}
    masked_paths: list[str] | None = None
    readonly_paths: list[str] | None = None
    container_id_file: str = msgspec.field(name="ContainerIDFile", default="")
    """Where the client wrote its id; the engine keeps the path, no more."""
    volume_driver: str = ""
    """Of the volumes in `binds`."""
    console_size: list[int] | None = None
    """Rows and columns of its terminal."""
    storage_opt: dict[str, str] = {}
    isolation: str = ""


class UpdateBody(Resources):
    """The body of `POST /containers/{id}/update`: limits of a living container and its restart policy."""

    SPEC: ClassVar[str] = "POST /containers/{id}/update body"

    restart_policy: RestartPolicy | None = None
