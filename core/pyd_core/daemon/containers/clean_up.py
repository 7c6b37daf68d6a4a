"""The clean-up after a container's end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil

from pyd_core.daemon.config import DaemonConfig
from pyd_core.daemon.containers import subpaths
from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.containers.volumes import VolumeClaims
from pyd_core.daemon.networks.endpoints import Endpoints
from pyd_core.daemon.runtime import oci
from pyd_core.daemon.runtime.runtime_choice import Runtimes
from pyd_core.daemon.userns import Remapping, remapping_of
from pyd_core.errors import PydError
from pyd_core.linux.mount import unmount
from pyd_core.tasks import TaskOwner

RETRY_DELAYS_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
LATER_INTERVAL_S = 10.0

log = logging.getLogger(__name__)


class CleanUp:
    """Gives back a container's mounts, links, cgroup and bundle.

    Args:
        runtimes: Removes them from their runtime.
        endpoints: Takes them off their networks.
        claims: Gives their volumes back.
        tasks: Runs what is tried again later.
        remapping: Which ids containers have on the host; None where they are the same.
        config: The engine's.
    """

    def __init__(
        self,
        *,
        runtimes: Runtimes,
        endpoints: Endpoints,
        claims: VolumeClaims,
        tasks: TaskOwner,
        remapping: Remapping | None,
        config: DaemonConfig,
    ) -> None:
        self._runtimes = runtimes
        self._endpoints = endpoints
        self._claims = claims
        self._tasks = tasks
        self._remapping = remapping
        self._parts = config.run / "parts"
        self._config = config

    async def surely(self, container: EngineContainer) -> None:
        """Clean up, retrying what fails; a persistent failure delays the end only for seconds.

        An end must be recorded even when resources are scarce. The rest is cleaned up later, at the latest with the
        container's removal.
        """
        for delay in RETRY_DELAYS_S:
            try:
                await self.run(container)
            except Exception as error:  # noqa: BLE001 - a bug must not lose an end either
                log.warning("can't clean up after %s yet: %s", container.record.name, error)
                await asyncio.sleep(delay)
            else:
                return
        if not container.unclean:
            container.unclean = True
            self._tasks.start(self._later(container), name=f"clean-up of {container.id[:12]}")

    async def _later(self, container: EngineContainer) -> None:
        while container.unclean:
            await asyncio.sleep(LATER_INTERVAL_S)
            async with container.lock:
                if not container.record.running:
                    with contextlib.suppress(Exception):
                        await self.run(container)

    async def run(self, container: EngineContainer) -> None:
        """Remove what only a running container needs; safe to call again."""
        for exec_ in list(container.execs.values()):
            exec_.end()
        # In parallel: the kernel takes its time to remove links.
        leaving = self._tasks.start(self._endpoints.leave(container))
        try:
            with contextlib.suppress(PydError):
                await self._runtimes.of(container.record).delete(container.id)
            # The runtime has no state of a start that was interrupted, and leaves the cgroup.
            oci.remove_group(container.record.cgroup(self._config.cgroup))
            # While clients read its files the layers stay mounted, unless with remapped ids, which they don't expect.
            if not container.looks or remapping_of(self._remapping, container.record.host) is not None:
                unmount(container.root)
            unmount(container.bundle / "shm")
            subpaths.release(self._parts, container.id)
            shutil.rmtree(container.bundle, ignore_errors=True)
        finally:
            await leaving
        await self._claims.release(container, container.id)
        container.unclean = False
