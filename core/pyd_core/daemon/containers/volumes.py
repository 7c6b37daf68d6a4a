"""Containers' claims on volumes."""

from __future__ import annotations

from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.containers.record import MountRecord
from pyd_core.daemon.events import EventBus
from pyd_core.daemon.userns import Remapping
from pyd_core.daemon.volumes import VolumeStore


class VolumeClaims:
    """The claims of containers on the engine's volumes."""

    def __init__(self, volumes: VolumeStore, events: EventBus) -> None:
        self._volumes = volumes
        self._events = events

    async def claim(
        self, container: EngineContainer, holder: object, remapping: Remapping | None = None
    ) -> dict[str, str]:
        """Claim a container's volumes, mounting those with options.

        Args:
            container: The container.
            holder: The claims' holder until `release`, also if this fails: a container's id, or an operation's key.
            remapping: The ids of its processes, where they differ from the host's.

        Returns:
            Where such processes see each volume, by its name.

        Raises:
            EngineError: A volume can't be mounted.
        """
        paths: dict[str, str] = {}
        for mount in container.record.mounts:
            if mount.volume:
                if mount.volume not in self._volumes:
                    self._volumes.create(mount.volume)
                async with self._volumes.claimed(mount.volume, holder) as path:
                    if remapping is not None:
                        paths[mount.volume] = str(remapping.mapped_volume(path))
                self._emit(container, "mount", mount)
        return paths

    def keep(self, container: EngineContainer) -> None:
        """Claim the volumes of a container that has run since before this engine."""
        for mount in container.record.mounts:
            if mount.volume:
                self._volumes.keep(mount.volume, container.id)

    async def release(self, container: EngineContainer, holder: object) -> None:
        """Release a container's volumes; safe to call again."""
        mounted = [mount for mount in container.record.mounts if mount.volume]
        held = {name for name in {mount.volume for mount in mounted} if await self._volumes.release(name, holder)}
        for mount in mounted:
            if mount.volume in held:
                self._emit(container, "unmount", mount)

    def _emit(self, container: EngineContainer, action: str, mount: MountRecord) -> None:
        attributes = {"container": container.id, "driver": "local"}
        if action == "mount":
            writable = "false" if mount.read_only else "true"
            attributes |= {"destination": mount.target, "propagation": "", "read/write": writable}
        self._events.emit("volume", action, mount.volume, attributes)
