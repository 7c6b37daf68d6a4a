"""The plan of a stage for a target that doesn't run, made from the engine's inspect data; nothing is done here."""

from __future__ import annotations

import os
from dataclasses import dataclass

from pyd_core.debug.sessions.credentials import CAPABILITIES, mask
from pyd_core.errors import Unsupported
from pyd_core.linux.overlay import MAX_LAYERS
from pyd_core.model.container import Container, GraphDriver
from pyd_core.model.host_config import HostConfig

RUNTIME_CAPABILITIES = mask(
    *("chown", "dac_override", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap", "net_bind_service"),
    *("net_raw", "sys_chroot", "mknod", "audit_write", "setfcap"),
)
"""What Docker Engine gives a container that asks for nothing else."""

MASKED = (
    *("/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats"),
    *("/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats"),
    *("/sys/devices/virtual/powercap", "/sys/firmware"),
)
READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
"""Paths of the kernel's that say or change things beyond the container; engines agree on them. A privileged
container's may be open, but a look at its files needs none of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMount:
    """A mount of the container's.

    Attributes:
        source: The path on this host; empty for a fresh tmpfs.
        destination: The path in the container.
        writable: Whether the session may write there.
    """

    source: str
    destination: str
    writable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedRoot:
    """All that the stage's builder needs to know.

    Attributes:
        name: The target's name; shown by ps.
        layers: Directories, the topmost first; none is ever written.
        mounts: Parents before what lies below them.
        hostname: Empty leaves the host's.
        domain: The NIS domain name.
        network: A network namespace's path; empty makes one with nothing but `lo`.
        user: As the configuration has it: `NAME|UID[:NAME|GID]`.
        bounding: Capabilities the container's processes could have.
        no_new_privileges: Whether they could gain none.
        toolbox: The toolbox's directory.
        memory: Bytes that changes may take.
    """

    name: str
    layers: tuple[str, ...]
    mounts: tuple[PlannedMount, ...] = ()
    hostname: str = ""
    domain: str = ""
    network: str = ""
    user: str = ""
    bounding: int = RUNTIME_CAPABILITIES
    no_new_privileges: bool = False
    toolbox: str = ""
    memory: int = 0


def plan_stage(
    container: Container, layers: tuple[str, ...], *, toolbox: str, memory: int, writable_volumes: bool, network: str
) -> StagedRoot:
    """Return what to build for a container that doesn't run.

    Args:
        container: The engine's inspect data.
        layers: Its root file system, the topmost layer first.
        toolbox: The toolbox's directory.
        memory: Bytes that changes may take.
        writable_volumes: Whether its volumes and bind mounts may be written, where the container itself may.
        network: A network namespace's path, or nothing.
    """
    host = container.host_config
    return StagedRoot(
        name=container.name,
        layers=layers,
        mounts=_mounts(container, writable=writable_volumes),
        hostname=container.config.hostname,
        domain=container.config.domainname,
        network=network,
        user=container.config.user,
        bounding=capabilities(host),
        no_new_privileges=any(
            text.startswith("no-new-privileges") and "false" not in text for text in host.security_opt
        ),
        toolbox=toolbox,
        memory=memory,
    )


def find_layers(graph: GraphDriver, shown: str) -> tuple[str, ...]:
    """Return the directories a root file system is stacked from, the topmost first.

    The container's own upper directory is used in place, as the topmost lower layer, and never written: a copy would
    double what may be gigabytes. Should the container be started meanwhile, it isn't hindered; only what the session
    sees of that directory may then be older than what is there.

    Args:
        graph: The graph driver's data from inspect.
        shown: The target's name, safe to show.

    Raises:
        Unsupported: The engine keeps its files in another way, or on another machine.
    """
    upper, lower = graph.data.get("UpperDir", ""), graph.data.get("LowerDir", "")
    layers = tuple(path for path in (upper, *lower.split(":")) if path)
    if not upper or not all(path.startswith("/") and os.path.isdir(path) for path in layers):
        raise Unsupported(
            f"the layers of {shown} don't lie on this machine as directories",
            hint="its engine may be remote, or keep images in a way pyd can't mount",
            reference="no-layers",
        )
    if len(layers) >= MAX_LAYERS:
        raise Unsupported(f"{shown} has {len(layers)} layers; the kernel stacks fewer than {MAX_LAYERS}")
    return layers


def copies_root() -> str:
    """Return the directory for copies of files whose layers are out of reach: `PYD_COPIES`, or the default."""
    return os.environ.get("PYD_COPIES") or "/var/lib/pyd/copies"


def capabilities(host: HostConfig) -> int:
    """Return the capabilities a runtime would give the container's root user."""
    everything = mask(*CAPABILITIES)
    bits = everything if host.privileged else RUNTIME_CAPABILITIES
    for added in host.cap_add:
        bits |= _named(added, everything)
    for dropped in host.cap_drop:
        if dropped.upper() == "ALL":  # what is added by name stays
            bits = sum({_named(added, everything) for added in host.cap_add if added.upper() != "ALL"})
        else:
            bits &= ~_named(dropped, everything)
    return bits


def _named(name: str, everything: int) -> int:
    plain = name.lower().removeprefix("cap_")
    if plain == "all":
        return everything
    return mask(plain) if plain in CAPABILITIES else 0


def _mounts(container: Container, *, writable: bool) -> tuple[PlannedMount, ...]:
    mounts = {
        point.destination: PlannedMount(
            source="" if point.type == "tmpfs" else point.source,
            destination=point.destination,
            writable=point.type == "tmpfs" or (writable and point.rw),
        )
        for point in container.mounts
        if point.destination.startswith("/") and (point.type == "tmpfs" or point.source.startswith("/"))
    }
    for destination in container.host_config.tmpfs:
        mounts.setdefault(destination, PlannedMount(source="", destination=destination, writable=True))
    for destination, source in (
        ("/etc/hosts", container.hosts_path),
        ("/etc/hostname", container.hostname_path),
        ("/etc/resolv.conf", container.resolv_conf_path),
    ):
        if source.startswith("/") and os.path.isfile(source):
            mounts.setdefault(destination, PlannedMount(source=source, destination=destination, writable=False))
    return tuple(sorted(mounts.values(), key=lambda point: point.destination.rstrip("/").count("/")))
