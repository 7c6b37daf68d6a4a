"""What a container needs before it can start: its root mounted, its files written, its specification planned."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from pyd_core.daemon.containers import (
    apparmor,
    capabilities,
    cdi,
    devices,
    mounts,
    propagation,
    spec,
    subpaths,
    users,
    volumes,
)
from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.images.load import architecture
from pyd_core.daemon.networks import files, legacy_links
from pyd_core.daemon.runtime.oci import unified, write_plan
from pyd_core.daemon.userns import Remapping, applies, check
from pyd_core.errors import EngineError, KernelError, Unsupported
from pyd_core.linux.fuse_overlay import mount_fuse_overlay
from pyd_core.linux.mount import mount, mount_overlay, unmount

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Engine

INITS = (
    "/usr/libexec/docker/docker-init",
    "/usr/bin/docker-init",
    "/usr/bin/tini-static",
    "/usr/bin/tini",
    "/usr/bin/catatonit",
)


_NO_OVERLAY = {
    errno.ENODEV: "this kernel has none",
    errno.EINVAL: "the kernel has none over the file system that the engine's data lie on",
}
"""What a refused mount says of the kernel or of the file system, in the words of the message."""


def make_base(base: Path) -> None:
    """Fills the lowest layer of every container: mount points the engine needs, so that none shows up as a change."""
    if (base / ".done").exists():
        return
    shutil.rmtree(base, ignore_errors=True)
    for directory in ("dev/pts", "dev/shm", "dev/mqueue", "proc", "sys", "etc"):
        (base / "root" / directory).mkdir(parents=True, mode=0o755)
    for name in ("etc/hosts", "etc/hostname", "etc/resolv.conf", "dev/console", ".dockerenv"):
        (base / "root" / name).touch(mode=0o755)
    (base / "root/etc/mtab").symlink_to("/proc/mounts")
    (base / ".done").touch()


def mount_root(daemon: Engine, container: EngineContainer, remapping: Remapping | None = None) -> None:
    """Mounts a container's file system, if it isn't yet.

    Args:
        daemon: The engine.
        container: The container.
        remapping: Whose ids its files are to have, where its processes have others than the host's.

    Raises:
        Unsupported: Neither the kernel nor fuse-overlayfs can stack its layers.
    """
    lower = [daemon.images.layers.directory(diff_id) for diff_id in reversed(container.record.layers)]
    stack = [*lower, daemon.base]
    if remapping is not None:
        unmount(container.root)  # somebody looks into it, with the ids as they are on the disk
        remapping.let_pass(container.directory)
        remapping.mount(stack, container.upper, container.work, container.root)
        return
    if os.path.ismount(container.root):
        return
    try:
        mount_overlay(stack, container.upper, container.work, container.root)
    except KernelError as error:
        if error.errno not in _NO_OVERLAY:
            raise
        mount_fuse_overlay(stack, container.upper, container.work, container.root, why=_NO_OVERLAY[error.errno])


async def prepare(daemon: Engine, container: EngineContainer) -> None:
    """Readies a container; what it made is taken away again by the clean-up of its end."""
    record = container.record
    host = record.host
    shutil.rmtree(container.bundle, ignore_errors=True)
    mounts.check(record.mounts, record.config.working_dir or "/")
    settled = propagation.settled(record.mounts)
    passing = propagation.of_root(settled)
    remapping = applies(daemon.remapping, host)
    _make_private(container.bundle, remapping)
    legacy_links.check(daemon, record)
    check(daemon.remapping, host)  # the setting may be newer than the container
    mount_root(daemon, container, remapping)
    namespaces = dict(await daemon.endpoints.enter(container, remapping))
    places = await volumes.claim(daemon, container, record.id, remapping)
    shared = []
    for kind, mode in (("network", record.network_mode), ("ipc", host.ipc_mode), ("pid", host.pid_mode)):
        if mode.startswith("container:"):
            shared.append(_pid_of(daemon, kind, mode))
            if kind != "network":
                namespaces[kind] = f"/proc/{shared[-1]}/ns/{kind}"
    if record.network_mode.startswith("container:") and host.uts_mode != "host":
        other = daemon.containers.find(record.network_mode.partition(":")[2]).record.config
        record.config = msgspec.structs.replace(record.config, hostname=other.hostname, domainname=other.domainname)
    if remapping is not None and shared:
        namespaces["user"] = remapping.joined(shared)
    files.write(daemon, container)
    identity = users.look_up(container.root, record.config.user, host.group_add)
    asked = spec.Security.parse(host.security_opt).apparmor
    confined = apparmor.profile(host, asked, there=apparmor.supported())
    await apparmor.ensure(confined)
    shown = [
        msgspec.structs.replace(each, source=places[each.volume]) if each.volume in places else each
        for each in record.mounts
    ]
    facts = spec.SpecInputs(
        rootfs=str(container.root),
        identity=identity,
        cgroup=f"/{host.cgroup_parent.strip('/') or daemon.config.cgroup}/{record.id}",
        unified=unified(),
        arch=architecture(),
        kernel=os.uname().release,
        namespaces=namespaces,
        files=files.bound(daemon, container, remapping),
        linked=legacy_links.environment(daemon, record),
        shm=_shm(daemon, container, remapping),
        places=subpaths.place(_make_private(daemon.config.run / "parts", remapping), record.id, shown),
        held=await asyncio.to_thread(mounts.held, record.mounts),
        propagation=passing,
        queues=_has_queues(),
        init=_init() if host.init else "",
        devices=devices.requested(host),
        possible=capabilities.possible(),
        seccomp_profile=_profile(container),
        apparmor=confined,
        ids=remapping.ids if remapping is not None else None,
        volumes=places,
    )
    planned = spec.plan(msgspec.structs.replace(record, mounts=settled), facts)
    cdi.apply(planned, cdi.find(host.device_requests, daemon.settings.cdi_spec_dirs))
    write_plan(container.bundle / "config.json", planned)


def _make_private(directory: Path, remapping: Remapping | None) -> Path:
    """Makes a directory that root and a container's own root get through, and no other user of the host."""
    directory.mkdir(mode=0o710, exist_ok=True)
    directory.chmod(0o710)
    if remapping is not None:
        remapping.let_pass(directory)
    return directory


def _has_queues() -> bool:
    return Path("/dev/mqueue").is_dir()


def _pid_of(daemon: Engine, kind: str, mode: str) -> int:
    other = daemon.containers.find(mode.partition(":")[2])
    if not other.record.running or other.record.main is None:
        raise EngineError(f"failed to join {kind.upper()} namespace: container {other.id} is not running")
    if kind == "ipc" and other.record.host.ipc_mode not in {"shareable", "host"}:
        raise EngineError(
            f"failed to join IPC namespace: container {other.id}: non-shareable IPC "
            "(hint: use IpcMode:shareable for the donor container)"
        )
    return other.record.main.pid


def _shm(daemon: Engine, container: EngineContainer, remapping: Remapping | None) -> str:
    host = container.record.host
    if host.ipc_mode == "shareable":
        place = container.bundle / "shm"
        place.mkdir()
        owner = ",uid={},gid={}".format(*remapping.ids.root) if remapping is not None else ""
        mount("shm", str(place), "tmpfs", 0xE, f"mode=1777,size={host.shm_size or spec.DEFAULT_SHM}{owner}")
        return str(place)
    if host.ipc_mode.startswith("container:"):
        other = daemon.containers.find(host.ipc_mode.partition(":")[2])
        if other.record.host.ipc_mode == "host":
            return "/dev/shm"  # noqa: S108 - the host's own
        return str(other.bundle / "shm")
    return ""


def _init() -> str:
    for path in INITS:
        if os.access(path, os.X_OK):
            return path
    raise Unsupported("no init program for --init", hint="apt-get install tini", reference="no-init")


def _profile(container: EngineContainer) -> dict[str, Any] | None:
    text = spec.Security.parse(container.record.host.security_opt).seccomp
    if text in {"", "unconfined", "builtin"}:
        return None
    found: dict[str, Any] = json.loads(text)
    return found
