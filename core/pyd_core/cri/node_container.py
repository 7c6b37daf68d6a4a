"""A container of a node's runtime, and its form in the shared model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from pyd_core.cri.nerdctl_labels import networks_of, ports_of
from pyd_core.cri.oci_spec import OciSpec
from pyd_core.linux.process import ProcessEntry
from pyd_core.model.container import Container, ContainerSummary, GraphDriver, MountPoint
from pyd_core.model.container_config import ContainerConfig
from pyd_core.model.container_state import ContainerState
from pyd_core.model.host_config import HostConfig

POD_NAME = "io.kubernetes.pod.name"
POD_NAMESPACE = "io.kubernetes.pod.namespace"
CONTAINER_NAME = "io.kubernetes.container.name"
KIND = "io.cri-containerd.kind"
"""containerd's label for what its CRI created: `container` or `sandbox`."""
NERDCTL_NAME = "nerdctl/name"

_KERNEL_FILE_SYSTEMS = frozenset({"proc", "sysfs", "devpts", "mqueue", "cgroup", "cgroup2", "tmpfs"})


class NodeContainer(msgspec.Struct, frozen=True, kw_only=True):
    """A container.

    Attributes:
        id: Its id.
        labels: Its labels; hostile, as all texts here.
        image: The image's name.
        image_id: The image's digest or name.
        created_ns: Nanoseconds since the epoch.
        status: `created`, `running`, `paused` or `exited`.
        pid: The main process; 0 while there is none.
        exit_code: That of the last run.
        started_ns: The start of the last run; 0 where it isn't known.
        finished_ns: Its end.
        reason: Why it isn't running, in the runtime's words.
        attempt: How often the kubelet has created it before.
        log_path: The file of its output; empty for none.
        snapshotter: Has its files; empty where it isn't known.
        snapshot: Names them there.
        spec: Its specification.
    """

    id: str
    labels: Mapping[str, str] = {}
    image: str = ""
    image_id: str = ""
    created_ns: int = 0
    status: str = "created"
    pid: int = 0
    exit_code: int = 0
    started_ns: int = 0
    finished_ns: int = 0
    reason: str = ""
    attempt: int = 0
    log_path: str = ""
    snapshotter: str = ""
    snapshot: str = ""
    spec: OciSpec = OciSpec()

    @property
    def name(self) -> str:
        """`NAMESPACE/POD/CONTAINER`, the name that nerdctl gave, or the id."""
        if pod := self.labels.get(POD_NAME, ""):
            namespace = self.labels.get(POD_NAMESPACE, "")
            return "/".join(part for part in (namespace, pod, self.labels.get(CONTAINER_NAME, "")) if part)
        return self.labels.get(NERDCTL_NAME) or self.id

    @property
    def status_text(self) -> str:
        """The state for people."""
        if self.status == "exited":
            return f"Exited ({self.exit_code}) {self.reason}".strip()
        return {"running": "Up", "paused": "Up (Paused)"}.get(self.status, "Created")


def summary_of(container: NodeContainer) -> ContainerSummary:
    """Return a container as lists have it."""
    return ContainerSummary(
        id=container.id,
        names=[f"/{container.name}"],
        image=container.image,
        image_id=container.image_id,
        command=" ".join(container.spec.process.args or [])[:1000],
        created=container.created_ns // 10**9,
        labels=dict(container.labels),
        state=container.status,
        status=container.status_text,
        ports=ports_of(container.labels),
        network_settings=networks_of(container.labels),
    )


def container_of(container: NodeContainer) -> Container:
    """Return a container in the shared model."""
    spec = container.spec
    process = spec.process
    started_ns = container.started_ns or start_of(container.pid)
    if not started_ns and container.finished_ns:
        started_ns = container.created_ns  # containerd forgets starts; the run can't have begun before
    return Container(
        id=container.id,
        created=_time(container.created_ns),
        path=(process.args or [""])[0],
        args=(process.args or [])[1:],
        state=ContainerState(
            status=container.status,
            running=container.status in {"running", "paused"},
            paused=container.status == "paused",
            oom_killed=container.reason == "OOMKilled",
            pid=container.pid,
            exit_code=container.exit_code,
            error=container.reason if container.reason in {"StartError", "ContainerCannotRun"} else "",
            started_at=_time(started_ns),
            finished_at=_time(container.finished_ns),
        ),
        image=container.image_id or container.image,
        name_=f"/{container.name}",
        restart_count=container.attempt,
        driver=container.snapshotter,
        platform="linux",
        log_path=container.log_path,
        host_config=_limits(spec),
        graph_driver=GraphDriver(name=container.snapshotter) if container.snapshot else GraphDriver(),
        mounts=_mounts(spec),
        config=ContainerConfig(
            hostname=spec.hostname,
            user=f"{process.user.uid}:{process.user.gid}" if process.user.uid or process.user.gid else "",
            tty=process.terminal,
            env=process.env or [],
            cmd=process.args or None,
            image=container.image,
            working_dir=process.cwd,
            labels=dict(container.labels),
        ),
    )


def _limits(spec: OciSpec) -> HostConfig:
    resources = spec.linux.resources
    memory = resources.memory if resources is not None else None
    cpu = resources.cpu if resources is not None else None
    pids = resources.pids if resources is not None else None
    quota, period = (cpu.quota or 0, cpu.period or 0) if cpu is not None else (0, 0)
    own = {namespace.type for namespace in spec.linux.namespaces or []}
    return HostConfig(
        memory=max(0, memory.limit or 0) if memory is not None else 0,
        nano_cpus=quota * 10**9 // period if quota > 0 and period > 0 else 0,
        pids_limit=pids.limit if pids is not None and (pids.limit or 0) > 0 else None,
        readonly_rootfs=spec.root.readonly,
        network_mode="" if "network" in own else "host",
        pid_mode="" if "pid" in own else "host",
    )


def _mounts(spec: OciSpec) -> list[MountPoint]:
    return [
        MountPoint(
            type="bind",
            source=mount.source,
            destination=mount.destination,
            rw="ro" not in (mount.options or []),
        )
        for mount in spec.mounts or []
        if mount.type not in _KERNEL_FILE_SYSTEMS and mount.source.startswith("/")
    ]


def start_of(pid: int) -> int:
    """Return the time when a process of this machine began, in nanoseconds since the epoch; 0 for none."""
    if not pid:
        return 0
    try:
        with ProcessEntry(pid) as process:
            ticks = process.start
        boot = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime "))
    except (OSError, StopIteration):
        return 0
    return int(boot.split()[1]) * 10**9 + ticks * 10**9 // os.sysconf("SC_CLK_TCK")


def _time(time_ns: int) -> str:
    """Return a time as the Engine API writes it; empty for none."""
    if time_ns <= 0:
        return ""
    seconds, rest = divmod(time_ns, 10**9)
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
    except (OverflowError, ValueError, OSError):
        return ""
