"""The persistent record of a container, with its processes and mounts."""

from __future__ import annotations

import os
from typing import Literal

import msgspec

from pyd_core.daemon.runtime.subprocesses import start_time
from pyd_core.model.container import MountPoint
from pyd_core.model.container_config import ContainerConfig
from pyd_core.model.container_state import ContainerState
from pyd_core.model.host_config import HostConfig, PortBinding
from pyd_core.model.network import EndpointSettings

SHORT_ID_LENGTH = 12
"""Number of characters of an id in file names and lists."""

Status = Literal["created", "running", "paused", "restarting", "removing", "exited", "dead"]


class ProcessRecord(msgspec.Struct, frozen=True):
    """A process by pid and start time, because pids are reused."""

    pid: int
    started: int
    """Clock ticks since boot."""

    @classmethod
    def of(cls, pid: int) -> ProcessRecord:
        """Return the record of a running process."""
        return cls(pid, start_time(pid))

    @property
    def lives(self) -> bool:
        """Return whether the process still runs."""
        return self.pid > 0 and self.started != 0 and start_time(self.pid) == self.started


class MountRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A mount planned at creation."""

    kind: Literal["bind", "volume", "tmpfs"]
    target: str
    source: str = ""
    """Path on the host; for a volume its directory."""
    volume: str = ""
    read_only: bool = False
    propagation: str = ""
    may_be_private: bool = False
    """Whether `propagation` is only preferred, and `rprivate` is used where the source's mount has no peers."""
    mode: str = ""
    """The options as the client wrote them, such as `ro,z`."""
    recursive: bool = True
    copy: bool = False
    """Whether an empty volume gets the image's files at the target."""
    anonymous: bool = False
    subpath: str = ""
    """The part of a volume that is mounted; empty is all."""
    recursive_read_only: bool | None = None
    """Whether mounts below a read-only bind are read-only too; None is where the kernel can, True always."""
    options: list[str] = []
    """Of a tmpfs, as mount(8) takes them."""

    def point(self) -> MountPoint:
        """Return the mount as inspect reports it."""
        return MountPoint(
            type=self.kind,
            name=self.volume,
            source=self.source,
            destination=self.target,
            driver="local" if self.kind == "volume" else "",
            mode=self.mode,
            rw=not self.read_only,
            propagation=self.propagation if self.kind == "bind" else "",
        )


class ContainerRecord(msgspec.Struct, kw_only=True):
    """A container as the store holds it.

    `phase` is its journal: a row found `creating` at start is undone, one found `removing` is finished.
    """

    id: str
    name: str
    created_ns: int
    image_id: str
    image: str
    """The image's name in the creation request."""
    layers: list[str]
    config: ContainerConfig
    """Image and creation merged."""
    host: HostConfig
    sent_empty: list[str] = []
    """Fields of the host configuration, by their name on the wire, that the client sent empty."""
    mounts: list[MountRecord] = []
    networks: dict[str, EndpointSettings] = {}
    """By the network's name."""
    ports: dict[str, list[PortBinding]] = {}
    """Published, while it runs: `80/tcp` to where on the host."""
    links: dict[str, str] = {}
    """Containers it has links to on the default network: their ids by alias."""
    step: bool = False
    """Whether it is a step of a build: an engine that finds one at its start removes it."""
    phase: Literal["creating", "ready", "removing"] = "creating"
    status: Status = "created"
    exit_code: int = 0
    error: str = ""
    oom_killed: bool = False
    started_at: str = "0001-01-01T00:00:00Z"
    finished_at: str = "0001-01-01T00:00:00Z"
    main: ProcessRecord | None = None
    """The container's first process, while it runs."""
    holder: ProcessRecord | None = None
    """Its conmon, while it runs."""
    stopped_by_hand: bool = False
    """Its restart policy waits until it is started again."""
    restart_count: int = 0
    thaw: bool = False
    """Paused by the engine for a moment: the next engine unpauses it."""
    console: bool = False

    @property
    def running(self) -> bool:
        """Return whether the container's processes exist; true while paused."""
        return self.status in {"running", "paused"}

    @property
    def command(self) -> list[str]:
        """Return the arguments of the main process: entrypoint, then command."""
        entrypoint = self.config.entrypoint or []
        if isinstance(entrypoint, str):
            entrypoint = [entrypoint]
        return [*entrypoint, *(self.config.cmd or [])]

    @property
    def network_mode(self) -> str:
        """`none`, `host`, `container:ID` or a network's name."""
        mode = self.host.network_mode
        return "bridge" if mode in {"", "default"} else mode

    def cgroup(self, parent: str) -> str:
        """Return the path of its cgroup in each hierarchy, without a leading slash.

        Args:
            parent: The cgroup above containers that name none.
        """
        return f"{self.host.cgroup_parent.strip('/') or parent}/{self.id}"

    def state(self) -> ContainerState:
        """Return the container's state as inspect reports it, without health."""
        return ContainerState(
            status=self.status,
            running=self.running or self.status == "restarting",
            paused=self.status == "paused",
            restarting=self.status == "restarting",
            oom_killed=self.oom_killed,
            dead=self.status == "dead",
            pid=self.main.pid if self.main is not None and self.running else 0,
            exit_code=self.exit_code,
            error=self.error,
            started_at=self.started_at,
            finished_at=self.finished_at,
        )


def new_id() -> str:
    """Return a new id: 64 hexadecimal digits whose first 12 aren't all decimal, so that no id looks like a number."""
    while True:
        key = os.urandom(32).hex()
        if not key[:12].isdecimal():
            return key
