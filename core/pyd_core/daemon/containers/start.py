"""The preparation of a start: root mounted, networks set up, files written, specification planned."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from pyd_core.daemon.config import DaemonConfig
from pyd_core.daemon.containers import (
    apparmor,
    capabilities,
    cdi,
    devices,
    mounts,
    oci_spec,
    propagation,
    subpaths,
    users,
)
from pyd_core.daemon.containers.container import ContainerLookup, EngineContainer
from pyd_core.daemon.containers.rootfs import RootMounter
from pyd_core.daemon.containers.volumes import VolumeClaims
from pyd_core.daemon.images.load import architecture
from pyd_core.daemon.networks import legacy_links
from pyd_core.daemon.networks.endpoints import Endpoints
from pyd_core.daemon.networks.files import NetworkFiles
from pyd_core.daemon.runtime.oci import unified, write_plan
from pyd_core.daemon.userns import Remapping, check, remapping_of
from pyd_core.errors import EngineError, Unsupported
from pyd_core.linux.mount import mount

INITS = (
    "/usr/libexec/docker/docker-init",
    "/usr/bin/docker-init",
    "/usr/bin/tini-static",
    "/usr/bin/tini",
    "/usr/bin/catatonit",
)


class StartPreparation:
    """Makes containers ready to start.

    Args:
        config: The engine's.
        cdi_spec_dirs: Directories of specifications of devices (CDI).
        containers: All containers.
        roots: Mounts root file systems.
        claims: Claims volumes.
        endpoints: Sets up networks.
        files: Writes the files about networks.
        remapping: Which ids containers have on the host; None where they are the same.
    """

    def __init__(
        self,
        *,
        config: DaemonConfig,
        cdi_spec_dirs: Sequence[str],
        containers: ContainerLookup,
        roots: RootMounter,
        claims: VolumeClaims,
        endpoints: Endpoints,
        files: NetworkFiles,
        remapping: Remapping | None,
    ) -> None:
        self._config = config
        self._cdi_spec_dirs = cdi_spec_dirs
        self._containers = containers
        self._roots = roots
        self._claims = claims
        self._endpoints = endpoints
        self._files = files
        self._remapping = remapping

    async def prepare(self, container: EngineContainer) -> None:
        """Prepare a container's start; the clean-up of its end undoes all of it."""
        record = container.record
        host = record.host
        shutil.rmtree(container.bundle, ignore_errors=True)
        mounts.check(record.mounts, record.config.working_dir or "/")
        settled = propagation.settled(record.mounts)
        passing = propagation.of_root(settled)
        remapping = remapping_of(self._remapping, host)
        _make_private(container.bundle, remapping)
        legacy_links.check_running(self._containers, record)
        check(self._remapping, host)  # the setting may be newer than the container
        self._roots.mount(container, remapping)
        namespaces = dict(await self._endpoints.prepare(container, remapping))
        volume_paths = await self._claims.claim(container, record.id, remapping)
        shared = []
        for kind, mode in (("network", record.network_mode), ("ipc", host.ipc_mode), ("pid", host.pid_mode)):
            if mode.startswith("container:"):
                shared.append(self._pid_of(kind, mode))
                if kind != "network":
                    namespaces[kind] = f"/proc/{shared[-1]}/ns/{kind}"
        if record.network_mode.startswith("container:") and host.uts_mode != "host":
            other = self._containers.find(record.network_mode.partition(":")[2]).record.config
            record.config = msgspec.structs.replace(record.config, hostname=other.hostname, domainname=other.domainname)
        if remapping is not None and shared:
            namespaces["user"] = remapping.user_namespace_of(shared)
        self._files.write(container)
        identity = users.look_up(container.root, record.config.user, host.group_add)
        requested_profile = oci_spec.Security.parse(host.security_opt).apparmor
        confined = apparmor.profile(host, requested_profile, is_supported=apparmor.supported())
        await apparmor.ensure(confined)
        shown = [
            msgspec.structs.replace(mount_record, source=volume_paths[mount_record.volume])
            if mount_record.volume in volume_paths
            else mount_record
            for mount_record in record.mounts
        ]
        facts = oci_spec.SpecInputs(
            rootfs=str(container.root),
            identity=identity,
            cgroup=f"/{record.cgroup(self._config.cgroup)}",
            unified=unified(),
            arch=architecture(),
            kernel=os.uname().release,
            namespaces=namespaces,
            files=self._files.bound(container, remapping),
            linked=legacy_links.environment(self._containers, record),
            shm=self._shm(container, remapping),
            part_paths=subpaths.bind_parts(_make_private(self._config.run / "parts", remapping), record.id, shown),
            required_options=await asyncio.to_thread(mounts.required_options, record.mounts),
            propagation=passing,
            queues=_has_queues(),
            init=_init() if host.init else "",
            devices=devices.requested(host),
            possible=capabilities.possible(),
            seccomp_profile=_profile(container),
            apparmor=confined,
            ids=remapping.ids if remapping is not None else None,
            volumes=volume_paths,
        )
        planned = oci_spec.plan(msgspec.structs.replace(record, mounts=settled), facts)
        cdi.apply(planned, cdi.find(host.device_requests, self._cdi_spec_dirs))
        write_plan(container.bundle / "config.json", planned)

    def _pid_of(self, kind: str, mode: str) -> int:
        other = self._containers.find(mode.partition(":")[2])
        if not other.record.running or other.record.main is None:
            raise EngineError(f"failed to join {kind.upper()} namespace: container {other.id} is not running")
        if kind == "ipc" and other.record.host.ipc_mode not in {"shareable", "host"}:
            raise EngineError(
                f"failed to join IPC namespace: container {other.id}: non-shareable IPC "
                "(hint: use IpcMode:shareable for the donor container)"
            )
        return other.record.main.pid

    def _shm(self, container: EngineContainer, remapping: Remapping | None) -> str:
        host = container.record.host
        if host.ipc_mode == "shareable":
            path = container.bundle / "shm"
            path.mkdir()
            owner = ",uid={},gid={}".format(*remapping.ids.root) if remapping is not None else ""
            mount("shm", str(path), "tmpfs", 0xE, f"mode=1777,size={host.shm_size or oci_spec.DEFAULT_SHM}{owner}")
            return str(path)
        if host.ipc_mode.startswith("container:"):
            other = self._containers.find(host.ipc_mode.partition(":")[2])
            if other.record.host.ipc_mode == "host":
                return "/dev/shm"  # noqa: S108 - the host's own
            return str(other.bundle / "shm")
        return ""


def _make_private(directory: Path, remapping: Remapping | None) -> Path:
    """Make a directory that only root and a container's own root can pass."""
    directory.mkdir(mode=0o710, exist_ok=True)
    directory.chmod(0o710)
    if remapping is not None:
        remapping.let_pass(directory)
    return directory


def _has_queues() -> bool:
    return Path("/dev/mqueue").is_dir()


def _init() -> str:
    for path in INITS:
        if os.access(path, os.X_OK):
            return path
    raise Unsupported("no init program for --init", hint="apt-get install tini", reference="no-init")


def _profile(container: EngineContainer) -> dict[str, Any] | None:
    text = oci_spec.Security.parse(container.record.host.security_opt).seccomp
    if text in {"", "unconfined", "builtin"}:
        return None
    profile: dict[str, Any] = json.loads(text)
    return profile
