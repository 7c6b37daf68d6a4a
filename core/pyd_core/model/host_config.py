"""Host-dependent part of a container's configuration: limits, namespaces, mounts, permissions."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from pyd_core.model.base import ApiStruct
from pyd_core.model.resources import Resources


class RestartPolicy(ApiStruct):
    """Action when the container ends."""

    SPEC: ClassVar[str] = "RestartPolicy"

    name: str = ""
    """Empty, `no`, `always`, `unless-stopped` or `on-failure`."""
    maximum_retry_count: int = 0


class PortBinding(ApiStruct):
    """Host address and port that a port is published on."""

    SPEC: ClassVar[str] = "PortBinding"

    host_ip: str = ""
    host_port: str = ""


class LogConfig(ApiStruct):
    """Log driver and its options."""

    SPEC: ClassVar[str] = "HostConfig.LogConfig"

    type: str = ""
    config: dict[str, str] = {}


class BindOptions(ApiStruct):
    """Options of a bind mount."""

    SPEC: ClassVar[str] = "Mount.BindOptions"

    propagation: str = ""
    non_recursive: bool = False
    create_mountpoint: bool = False
    read_only_non_recursive: bool = False
    """Submounts stay writable."""
    read_only_force_recursive: bool = False
    """Fail where submounts can't be made read-only."""


class DriverConfig(ApiStruct):
    """Driver that creates a volume."""

    SPEC: ClassVar[str] = "Mount.VolumeOptions.DriverConfig"

    name: str = ""
    options: dict[str, str] = {}


class VolumeOptions(ApiStruct):
    """Options for creating and mounting a volume."""

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
    """Mount requested with `--mount`."""

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
    """Host-dependent part of a container's configuration: limits, namespaces, mounts, permissions."""

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
    """File in which the client wrote its id; the engine only stores the path."""
    volume_driver: str = ""
    """Driver of the volumes in `binds`."""
    console_size: list[int] | None = None
    """Rows and columns of its terminal."""
    storage_opt: dict[str, str] = {}
    isolation: str = ""


class UpdateBody(Resources):
    """Body of `POST /containers/{id}/update`: limits of an existing container and its restart policy."""

    SPEC: ClassVar[str] = "POST /containers/{id}/update body"

    restart_policy: RestartPolicy | None = None
