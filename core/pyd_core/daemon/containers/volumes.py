"""A container's volumes: claimed for it, and given back."""

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
        """Claims its volumes, mounted where options say so.

        Args:
            container: The container.
            holder: Whose they are until `release`, also where this fails: the container's id, or a look into it.
            remapping: Whose ids its processes have, where those are others than the host's.

        Returns:
            Where such processes find each volume, by its name.

        Raises:
            EngineError: A volume can't be mounted.
        """
        places: dict[str, str] = {}
        for each in container.record.mounts:
            if each.volume:
                if each.volume not in self._volumes:
                    self._volumes.create(each.volume)
                async with self._volumes.claimed(each.volume, holder) as place:
                    if remapping is not None:
                        places[each.volume] = str(remapping.volume(place))
                self._tell(container, "mount", each)
        return places

    def keep(self, container: EngineContainer) -> None:
        """Claims the volumes of a container that runs since before this engine."""
        for each in container.record.mounts:
            if each.volume:
                self._volumes.keep(each.volume, container.id)

    async def release(self, container: EngineContainer, holder: object) -> None:
        """Gives its volumes back; safe to call again."""
        mounted = [each for each in container.record.mounts if each.volume]
        held = {name for name in {each.volume for each in mounted} if await self._volumes.release(name, holder)}
        for each in mounted:
            if each.volume in held:
                self._tell(container, "unmount", each)

    def _tell(self, container: EngineContainer, action: str, mounted: MountRecord) -> None:
        told = {"container": container.id, "driver": "local"}
        if action == "mount":
            writable = "false" if mounted.read_only else "true"
            told |= {"destination": mounted.target, "propagation": "", "read/write": writable}
        self._events.emit("volume", action, mounted.volume, told)
