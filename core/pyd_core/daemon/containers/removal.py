"""The removal of containers that don't run, with their files and anonymous volumes."""

from __future__ import annotations

import asyncio
import contextlib
import shutil

from pyd_core.daemon import rmtree
from pyd_core.daemon.containers.collection import ContainerStore
from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.containers.last_output import LastOutput
from pyd_core.daemon.containers.volumes import VolumeClaims
from pyd_core.daemon.events import EventBus
from pyd_core.daemon.volumes import VolumeStore
from pyd_core.linux.mount import unmount
from pyd_core.linux.tree import remove_tree


class ContainerRemover:
    """Removes containers."""

    def __init__(
        self,
        *,
        containers: ContainerStore,
        volumes: VolumeStore,
        claims: VolumeClaims,
        last_output: LastOutput,
        events: EventBus,
    ) -> None:
        self._containers = containers
        self._volumes = volumes
        self._claims = claims
        self._last_output = last_output
        self._events = events

    async def erase(self, container: EngineContainer, *, volumes: bool) -> None:
        """Remove a container that doesn't run: its mounts, files, name and record."""
        record = container.record
        record.phase, record.status = "removing", "removing"
        self._containers.save_best_effort(container)
        unmount(container.root)
        shutil.rmtree(container.bundle, ignore_errors=True)
        await self._claims.release(container, container.id)  # of a start that was cancelled
        self._last_output.keep(container)
        # Renamed first: a power failure may lose the record's removal, and half a directory would look complete.
        going = container.directory.with_suffix(".gone")
        with contextlib.suppress(FileNotFoundError):
            container.directory.rename(going)
        await rmtree.remove([going])
        if going.exists():
            await asyncio.to_thread(remove_tree, going)  # reports the file that can't be removed
        self._containers.discard(container)
        if volumes:
            for mount in record.mounts:
                known = mount.anonymous and mount.volume in self._volumes
                if known and not self._containers.using_volume(mount.volume):
                    await self._volumes.remove(mount.volume)
        self._events.emit("container", "destroy", container.id, container.attributes())
        container.notify_removed()
