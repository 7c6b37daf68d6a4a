"""A container's volumes: claimed for it, and given back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.containers.record import MountRecord
from pyd_core.daemon.userns import Remapping

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Engine


async def claim(
    daemon: Engine, container: EngineContainer, holder: object, remapping: Remapping | None = None
) -> dict[str, str]:
    """Claims its volumes, mounted where options say so.

    Args:
        daemon: The engine.
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
            if each.volume not in daemon.volumes:
                daemon.volumes.create(each.volume)
            async with daemon.volumes.claimed(each.volume, holder) as place:
                if remapping is not None:
                    places[each.volume] = str(remapping.volume(place))
            _tell(daemon, container, "mount", each)
    return places


def keep(daemon: Engine, container: EngineContainer) -> None:
    """Claims the volumes of a container that runs since before this engine."""
    for each in container.record.mounts:
        if each.volume:
            daemon.volumes.keep(each.volume, container.id)


async def release(daemon: Engine, container: EngineContainer, holder: object) -> None:
    """Gives its volumes back; safe to call again."""
    mounted = [each for each in container.record.mounts if each.volume]
    held = {name for name in {each.volume for each in mounted} if await daemon.volumes.release(name, holder)}
    for each in mounted:
        if each.volume in held:
            _tell(daemon, container, "unmount", each)


def _tell(daemon: Engine, container: EngineContainer, action: str, mounted: MountRecord) -> None:
    told = {"container": container.id, "driver": "local"}
    if action == "mount":
        writable = "false" if mounted.read_only else "true"
        told |= {"destination": mounted.target, "propagation": "", "read/write": writable}
    daemon.events.emit("volume", action, mounted.volume, told)
