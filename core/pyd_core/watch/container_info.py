"""A container's state as the watcher knows it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from pyd_core.model.base import parse_time
from pyd_core.model.container import COMPOSE_PROJECT, COMPOSE_SERVICE, Container, ContainerSummary, MountPoint, Port

_EXIT = re.compile(r"(?:Exited|Restarting) \((-?\d+)\)")
_HEALTH = re.compile(r"\((?:health: )?(starting|healthy|unhealthy)\)")

_PODMAN_STATES = {"stopped": "exited", "stopping": "running", "initialized": "created", "configured": "created"}
"""States that Podman has beyond Docker Engine's."""


class ContainerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A container's state, merged from list, inspect and events. Its texts are untrusted.

    Times are nanoseconds since the epoch by the engine's clock; None is never, or unknown so far.
    """

    id: str
    name: str
    image: str = ""
    command: str = ""
    state: str = ""
    """`created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`."""
    health: str = ""
    """`starting`, `healthy`, `unhealthy`, or empty without a probe."""
    exit_code: int | None = None
    """Of the last run; None while it runs and if it never ran."""
    oom_killed: bool = False
    """The engine's flag, which isn't a verdict."""
    oom_ns: int | None = None
    """The time of the engine's last out-of-memory event while this watcher listened."""
    error: str = ""
    """The engine's message about a failed start."""
    created_ns: int = 0
    started_ns: int | None = None
    finished_ns: int | None = None
    restart_count: int = 0
    restart_policy: str = ""
    project: str = ""
    service: str = ""
    labels: Mapping[str, str] = {}
    ports: tuple[Port, ...] = ()
    networks: tuple[str, ...] = ()
    """The names of its networks."""
    volumes: tuple[str, ...] = ()
    """The names of its volumes."""
    pid: int = 0
    """The main process on the engine's host; 0 if it doesn't run or isn't known yet."""
    memory_limit: int | None = None
    """Bytes; None is no limit."""
    cpu_limit: float | None = None
    """Processors; None is no limit."""
    pids_limit: int | None = None
    detailed: bool = False
    """Whether it was inspected; until then, fields that only inspect has keep their defaults."""

    @property
    def has_processes(self) -> bool:
        """Whether it has processes."""
        return self.state in {"running", "paused"}


def from_summary(summary: ContainerSummary, known: ContainerInfo | None = None) -> ContainerInfo:
    """Return container info from an entry of the list, merged into what was known."""
    exited = _EXIT.match(summary.status)
    health = _HEALTH.search(summary.status)
    state = _PODMAN_STATES.get(summary.state, summary.state)
    alive = state in {"running", "paused"}
    base = known or ContainerInfo(id=summary.id, name="", created_ns=summary.created * 1_000_000_000)
    known_code = base.exit_code if base.state == state else None
    return msgspec.structs.replace(
        base,
        name=summary.name,
        image=summary.image,
        command=summary.command,
        state=state,
        health=health[1] if health else "",
        exit_code=None if alive else int(exited[1]) if exited else known_code,
        project=summary.labels.get(COMPOSE_PROJECT, ""),
        service=summary.labels.get(COMPOSE_SERVICE, ""),
        labels=summary.labels,
        ports=_sort_ports(summary.ports),
        networks=tuple(summary.network_settings.networks),
        volumes=_volumes(summary.mounts),
        pid=base.pid if alive else 0,
    )


def from_inspect(container: Container, known: ContainerInfo | None = None) -> ContainerInfo:
    """Return container info from an inspect document, merged into what was known."""
    state, host = container.state, container.host_config
    labels = container.config.labels
    status = _PODMAN_STATES.get(state.status, state.status)
    alive = status in {"running", "paused"}
    ended = state.finished_ns is not None and not alive
    base = known or ContainerInfo(id=container.id, name="")
    return msgspec.structs.replace(
        base,
        name=container.name or base.name,
        image=base.image or container.config.image or container.image,
        command=base.command or " ".join([container.path, *container.args]),
        state=status,
        health=_health(container) if alive else "",
        exit_code=state.exit_code if ended or state.error else None,
        oom_killed=state.oom_killed,
        error=state.error,
        created_ns=parse_time(container.created) or base.created_ns,
        started_ns=state.started_ns,
        finished_ns=state.finished_ns,
        restart_count=container.restart_count,
        restart_policy=host.restart_policy.name,
        project=labels.get(COMPOSE_PROJECT, ""),
        service=labels.get(COMPOSE_SERVICE, ""),
        labels=labels,
        ports=_ports(container),
        networks=tuple(container.network_settings.networks),
        volumes=_volumes(container.mounts),
        pid=state.pid,
        memory_limit=host.memory or None,
        cpu_limit=_cpu_limit(container),
        pids_limit=host.pids_limit if host.pids_limit is not None and host.pids_limit > 0 else None,
        detailed=True,
    )


def _health(container: Container) -> str:
    health = container.state.health
    return "" if health is None or health.status == "none" else health.status


def _cpu_limit(container: Container) -> float | None:
    host = container.host_config
    if host.nano_cpus:
        return host.nano_cpus / 1e9
    if host.cpu_quota > 0:
        return host.cpu_quota / (host.cpu_period or 100_000)  # the kernel's default period, microseconds
    return None


def _sort_ports(ports: list[Port]) -> tuple[Port, ...]:
    return tuple(sorted(ports, key=lambda port: (port.private_port, port.type, port.ip, port.public_port or 0)))


def _volumes(mounts: Sequence[MountPoint]) -> tuple[str, ...]:
    return tuple(mount.name for mount in mounts if mount.name)


def _ports(container: Container) -> tuple[Port, ...]:
    ports: list[Port] = []
    for name, bindings in container.network_settings.ports.items():
        number, _, kind = name.partition("/")
        if not number.isdecimal():
            continue
        private, kind = int(number), kind or "tcp"
        ports += [
            Port(private_port=private, type=kind, ip=binding.host_ip, public_port=int(binding.host_port))
            for binding in bindings or []
            if binding.host_port.isdecimal()
        ] or [Port(private_port=private, type=kind)]
    return _sort_ports(ports)
