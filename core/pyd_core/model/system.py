"""The engine itself: version, info, disk use."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from pyd_core.model.base import ApiStruct
from pyd_core.model.container import ContainerSummary
from pyd_core.model.image import ImageSummary
from pyd_core.model.volume import Volume

PYDD = "pydd"
"""Name that pyd's own engine reports."""
KUBERNETES = "Kubernetes"
CONTAINERD = "containerd"
"""Name of the platform where the provider is a cluster."""


class Component(ApiStruct):
    """Component of an engine: `Engine`, `containerd`, `runc`, `Podman Engine`, `Conmon` and others."""

    SPEC: ClassVar[str] = "SystemVersion.Components[]"

    name: str
    version: str = ""
    details: dict[str, str] | None = None


class Platform(ApiStruct):
    """Product name of an engine; Debian's build of Docker Engine leaves it empty."""

    SPEC: ClassVar[str] = "SystemVersion.Platform"

    name: str = ""


class Version(ApiStruct):
    """Response of `GET /version`."""

    SPEC: ClassVar[str] = "SystemVersion"

    platform: Platform = Platform()
    version: str = ""
    api_version: str = ""
    min_api_version: str = msgspec.field(name="MinAPIVersion", default="")
    os: str = ""
    arch: str = ""
    kernel_version: str = ""
    go_version: str = ""
    build_time: str = ""
    components: list[Component] = []

    @property
    def product(self) -> str:
        """The product: `pydd`, `Kubernetes`, `containerd`, `Podman`; `Docker` also stands for unknown ones."""
        if self.platform.name in {PYDD, KUBERNETES, CONTAINERD}:
            return self.platform.name
        return "Podman" if any(part.name.startswith("Podman") for part in self.components) else "Docker"


class SwarmPeer(ApiStruct):
    """Manager of the swarm."""

    SPEC: ClassVar[str] = "PeerNode"

    node_id: str = msgspec.field(name="NodeID", default="")
    addr: str = ""


class SwarmInfo(ApiStruct):
    """Membership of the engine in a swarm."""

    SPEC: ClassVar[str] = "SwarmInfo"

    node_id: str = msgspec.field(name="NodeID", default="")
    local_node_state: str = "inactive"
    control_available: bool = False
    remote_managers: list[SwarmPeer] | None = None


class Info(ApiStruct):
    """Response of `GET /info`."""

    SPEC: ClassVar[str] = "SystemInfo"

    id: str = msgspec.field(name="ID", default="")
    name: str = ""
    containers: int = 0
    containers_running: int = 0
    containers_paused: int = 0
    containers_stopped: int = 0
    images: int = 0
    driver: str = ""
    driver_status: list[list[str]] = []
    docker_root_dir: str = ""
    logging_driver: str = ""
    cgroup_driver: str = ""
    cgroup_version: str = ""
    kernel_version: str = ""
    operating_system: str = ""
    os_type: str = msgspec.field(name="OSType", default="")
    architecture: str = ""
    ncpu: int = msgspec.field(name="NCPU", default=0)
    memory_limit: bool = False
    """Whether it can limit memory; without root on cgroup v1 it can't."""
    pids_limit: bool = False
    mem_total: int = 0
    """Bytes."""
    server_version: str = ""
    default_runtime: str = ""
    live_restore_enabled: bool = False
    """Whether containers keep running when the engine stops."""
    security_options: list[str] = []
    swarm: SwarmInfo = SwarmInfo()
    warnings: list[str] | None = None
    labels: list[str] = []


class BuildCache(ApiStruct):
    """Entry of the build cache."""

    SPEC: ClassVar[str] = "BuildCache"

    id: str = msgspec.field(name="ID", default="")
    type: str = ""
    description: str = ""
    in_use: bool = False
    shared: bool = False
    size: int = 0
    created_at: str = ""
    last_used_at: str | None = None
    usage_count: int = 0
    parents: list[str] | None = None


class DiskUsage(ApiStruct):
    """Response of `GET /system/df`."""

    SPEC: ClassVar[str] = "GET /system/df 200"

    layers_size: int = 0
    images: list[ImageSummary] = []
    containers: list[ContainerSummary] = []
    volumes: list[Volume] = []
    build_cache: list[BuildCache] = []
