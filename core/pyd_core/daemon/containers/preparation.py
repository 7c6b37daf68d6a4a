"""What a container needs before it can start: its root mounted, its files written, its specification planned."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from pyd_core.daemon.containers import apparmor, cdi, mounts, propagation, rights, spec, subpaths, users, volumes
from pyd_core.daemon.containers.container import Container
from pyd_core.daemon.images.load import architecture
from pyd_core.daemon.networks import files, linked
from pyd_core.daemon.remapping import Remapping, applies, check
from pyd_core.daemon.runtime.oci import unified, write_plan
from pyd_core.errors import Conflict, EngineError, InvalidInput, KernelError, Unsupported
from pyd_core.linux.fuse_overlay import mount_fuse_overlay
from pyd_core.linux.mounting import mount, mount_overlay, unmount

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Daemon

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


def mount_root(daemon: Daemon, container: Container, remapping: Remapping | None = None) -> None:
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


async def prepare(daemon: Daemon, container: Container) -> None:
    """Readies a container; what it made is taken away again by the clean-up of its end."""
    record = container.record
    host = record.host
    shutil.rmtree(container.bundle, ignore_errors=True)
    container.bundle.mkdir(mode=0o711)
    mounts.check(record.mounts, record.config.working_dir or "/")
    passing = propagation.of_root(record.mounts)
    remapping = applies(daemon.remapping, host)
    linked.check(daemon, record)
    check(daemon.remapping, host)  # the setting may be newer than the container
    mount_root(daemon, container, remapping)
    namespaces = dict(await daemon.endpoints.enter(container, remapping))
    places = await volumes.fill(daemon, container, record.id, remapping)
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
    facts = spec.Facts(
        rootfs=str(container.root),
        identity=identity,
        cgroup=f"/{host.cgroup_parent.strip('/') or daemon.config.cgroup}/{record.id}",
        unified=unified(),
        arch=architecture(),
        kernel=os.uname().release,
        namespaces=namespaces,
        files=files.bound(daemon, container, remapping),
        linked=linked.environment(daemon, record),
        shm=_shm(daemon, container, remapping),
        places=subpaths.place(daemon.config.run / "parts", record.id, shown),
        held=await asyncio.to_thread(mounts.held, record.mounts),
        propagation=passing,
        queues=_has_queues(),
        init=_init() if host.init else "",
        devices=_devices(container),
        possible=rights.possible(),
        seccomp_profile=_profile(container),
        apparmor=confined,
        ids=remapping.ids if remapping is not None else None,
        volumes=places,
    )
    planned = spec.plan(record, facts)
    cdi.apply(planned, cdi.find(host.device_requests, daemon.settings.cdi_spec_dirs))
    write_plan(container.bundle / "config.json", planned)


def _has_queues() -> bool:
    return Path("/dev/mqueue").is_dir()


def _pid_of(daemon: Daemon, kind: str, mode: str) -> int:
    other = daemon.containers.find(mode.partition(":")[2])
    if not other.record.running or other.record.main is None:
        raise EngineError(f"failed to join {kind.upper()} namespace: container {other.id} is not running")
    return other.record.main.pid


def _shm(daemon: Daemon, container: Container, remapping: Remapping | None) -> str:
    host = container.record.host
    if host.ipc_mode == "shareable":
        place = container.bundle / "shm"
        place.mkdir()
        owner = ",uid={},gid={}".format(*remapping.ids.root) if remapping is not None else ""
        mount("shm", str(place), "tmpfs", 0xE, f"mode=1777,size={host.shm_size or spec.DEFAULT_SHM}{owner}")
        return str(place)
    if host.ipc_mode.startswith("container:"):
        other = daemon.containers.find(host.ipc_mode.partition(":")[2])
        if other.record.host.ipc_mode != "shareable":
            raise Conflict(f"non-shareable IPC of container {other.id[:12]} (hint: use IpcMode:shareable for it)")
        return str(other.bundle / "shm")
    return ""


def _init() -> str:
    for path in INITS:
        if os.access(path, os.X_OK):
            return path
    raise Unsupported("no init program for --init", hint="apt-get install tini", reference="no-init")


def _devices(container: Container) -> list[dict[str, Any]]:
    host = container.record.host
    if host.privileged:
        found = []
        for name in os.listdir("/dev"):  # noqa: PTH208 - names are enough
            path = f"/dev/{name}"
            mode = os.lstat(path).st_mode
            if (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)) and name not in {"console", "ptmx", "tty"}:
                found.append(spec.device(path, path))
        return found
    made: list[dict[str, Any]] = []
    for each in host.devices:
        target = each.path_in_container or each.path_on_host
        source = Path(each.path_on_host)
        if source.is_dir():
            nodes = [
                spec.device(str(inside), f"{target}/{inside.relative_to(source)}")
                for inside in sorted(source.rglob("*"))
                if stat.S_ISCHR(inside.lstat().st_mode) or stat.S_ISBLK(inside.lstat().st_mode)
            ]
            if not nodes:
                raise InvalidInput(spec.bad_device(each.path_on_host, "not a device node"))
            made += nodes
        else:
            made.append(spec.device(each.path_on_host, target))
    return made


def _profile(container: Container) -> dict[str, Any] | None:
    text = spec.Security.parse(container.record.host.security_opt).seccomp
    if text in {"", "unconfined", "builtin"}:
        return None
    found: dict[str, Any] = json.loads(text)
    return found
