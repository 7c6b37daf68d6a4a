"""Containers: list entries and full inspect data."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from pyd_core.model.base import ApiStruct
from pyd_core.model.container_config import ContainerConfig
from pyd_core.model.container_state import ContainerState
from pyd_core.model.host_config import HostConfig, PortBinding
from pyd_core.model.network import EndpointSettings

COMPOSE_PROJECT = "com.docker.compose.project"
"""Label that Compose sets on everything it creates; so do Podman's compose providers."""
COMPOSE_SERVICE = "com.docker.compose.service"
POD_CONTAINER = "io.kubernetes.container.name"
"""Label with which a kubelet names the containers of its pods."""


class Port(ApiStruct):
    """Port of a container, published or only exposed."""

    SPEC: ClassVar[str] = "Port"

    private_port: int
    type: str = "tcp"
    """`tcp`, `udp` or `sctp`."""
    public_port: int | None = None
    ip: str = msgspec.field(name="IP", default="")
    """Host address it is published on; empty when it isn't published."""


class MountPoint(ApiStruct):
    """Mount inside a container, from inspect and list."""

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


class SummaryHostConfig(ApiStruct):
    """Part of the host configuration in a list entry."""

    SPEC: ClassVar[str] = "ContainerSummary.HostConfig"

    network_mode: str = ""


class SummaryNetworks(ApiStruct):
    """Networks in a list entry."""

    SPEC: ClassVar[str] = "ContainerSummary.NetworkSettings"

    networks: dict[str, EndpointSettings] = {}


class ContainerSummary(ApiStruct):
    """Entry of `GET /containers/json`."""

    SPEC: ClassVar[str] = "ContainerSummary"

    id: str
    names: list[str] = []
    """Names with a leading slash; the container's own name is first unless links add others."""
    image: str = ""
    """The image as given at creation; a digest if that name now refers to another image."""
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
    """Text for people, such as `Exited (137) 2 minutes ago`; lists report health only here."""
    host_config: SummaryHostConfig = SummaryHostConfig()
    network_settings: SummaryNetworks = SummaryNetworks()
    mounts: list[MountPoint] = []

    @property
    def name(self) -> str:
        """The container's own name, without the slash; its short id if it has none."""
        if self.names and POD_CONTAINER in self.labels:  # a pod's container has its pod's name before its own
            return self.names[0].removeprefix("/")
        own = [name[1:] for name in self.names if name.startswith("/") and "/" not in name[1:]]
        plain = [name for name in self.names if name and "/" not in name]  # Podman's have no slash in some versions
        return (own or plain or [self.id[:12]])[0]

    @property
    def project(self) -> str:
        """The Compose project that it belongs to, or an empty text."""
        return self.labels.get(COMPOSE_PROJECT, "")

    @property
    def service(self) -> str:
        """The Compose service that it belongs to, or an empty text."""
        return self.labels.get(COMPOSE_SERVICE, "")


class GraphDriver(ApiStruct):
    """Location of the container's layers on the engine's host."""

    SPEC: ClassVar[str] = "GraphDriverData"

    name: str = ""
    data: dict[str, str] = {}
    """For overlay2: `LowerDir`, `UpperDir`, `WorkDir`, `MergedDir`."""


class NetworkSettings(ApiStruct):
    """A container's networks and published ports."""

    SPEC: ClassVar[str] = "NetworkSettings"

    sandbox_id: str = msgspec.field(name="SandboxID", default="")
    endpoint_id: str = msgspec.field(name="EndpointID", default="")
    """This field and the next seven are for the default bridge only; other networks are in `networks`."""
    gateway: str = ""
    ip_address: str = msgspec.field(name="IPAddress", default="")
    ip_prefix_len: int = msgspec.field(name="IPPrefixLen", default=0)
    ipv6_gateway: str = msgspec.field(name="IPv6Gateway", default="")
    global_ipv6_address: str = msgspec.field(name="GlobalIPv6Address", default="")
    global_ipv6_prefix_len: int = msgspec.field(name="GlobalIPv6PrefixLen", default=0)
    mac_address: str = ""
    sandbox_key: str = ""
    ports: dict[str, list[PortBinding] | None] = {}
    networks: dict[str, EndpointSettings] = {}


class Container(ApiStruct):
    """Response of `GET /containers/{id}/json`."""

    SPEC: ClassVar[str] = "GET /containers/{id}/json 200"

    id: str
    created: str = ""
    path: str = ""
    """The program, from entrypoint and command."""
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
        """The name without the slash."""
        return self.name_.removeprefix("/")


class Processes(ApiStruct):
    """Processes in a container, as `ps` on the engine's host prints them."""

    SPEC: ClassVar[str] = "GET /containers/{id}/top 200"

    titles: list[str] = []
    processes: list[list[str]] = []


class FileChange(ApiStruct):
    """Path that differs from the image."""

    SPEC: ClassVar[str] = "FilesystemChange"

    path: str
    kind: int
    """0 modified, 1 added, 2 deleted."""


class WaitResult(ApiStruct):
    """Exit status of a container, from `POST /containers/{id}/wait`."""

    SPEC: ClassVar[str] = "ContainerWaitResponse"

    status_code: int = 0
    error: WaitError | None = None


class WaitError(ApiStruct):
    """Error of a failed wait."""

    SPEC: ClassVar[str] = "ContainerWaitExitError"

    message: str = ""


class Created(ApiStruct):
    """Response to creating a container."""

    SPEC: ClassVar[str] = "ContainerCreateResponse"

    id: str
    warnings: list[str] = []


class Updated(ApiStruct):
    """Response to updating a container."""

    SPEC: ClassVar[str] = "POST /containers/{id}/update 200"

    warnings: list[str] | None = None


class Pruned(ApiStruct):
    """Response to pruning containers."""

    SPEC: ClassVar[str] = "POST /containers/prune 200"

    containers_deleted: list[str] = []
    space_reclaimed: int = 0
    """Bytes."""
