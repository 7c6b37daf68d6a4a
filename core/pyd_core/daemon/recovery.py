"""The recovery after a stop, a crash or a reboot: the machine is brought in line with the records."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping

from pyd_core.daemon.config import DaemonConfig
from pyd_core.daemon.containers import restarts
from pyd_core.daemon.containers.collection import ContainerStore
from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.containers.lifecycle import Lifecycle
from pyd_core.daemon.containers.pause import Freezer
from pyd_core.daemon.containers.removal import ContainerRemover
from pyd_core.daemon.containers.volumes import VolumeClaims
from pyd_core.daemon.networks import legacy_links
from pyd_core.daemon.networks.collection import NetworkStore
from pyd_core.daemon.networks.endpoints import Endpoints
from pyd_core.daemon.runtime.runtime_choice import Runtimes
from pyd_core.daemon.volumes import VolumeStore
from pyd_core.errors import PydError
from pyd_core.linux.mount import unmount
from pyd_core.linux.tree import remove_tree
from pyd_core.tasks import TaskOwner

LINK_TIMEOUT_S = 5.0
"""How long a container waits for the restart of those it has links to, as in Docker Engine."""
log = logging.getLogger(__name__)


class Recovery:
    """Brings the machine in line with the engine's records, once, when an engine starts."""

    def __init__(
        self,
        *,
        claims: VolumeClaims,
        config: DaemonConfig,
        containers: ContainerStore,
        endpoints: Endpoints,
        freezer: Freezer,
        lifecycle: Lifecycle,
        networks: NetworkStore,
        remover: ContainerRemover,
        runtimes: Runtimes,
        tasks: TaskOwner,
        volumes: VolumeStore,
    ) -> None:
        self._claims = claims
        self._config = config
        self._containers = containers
        self._endpoints = endpoints
        self._freezer = freezer
        self._lifecycle = lifecycle
        self._networks = networks
        self._remover = remover
        self._runtimes = runtimes
        self._tasks = tasks
        self._volumes = volumes

    async def run(self) -> None:
        """Finish or undo interrupted changes, and watch running containers again.

        * `creating` or `removing`: removed; so is one whose directory a power failure took, or whose end in the store.
        * running by its record and its conmon lives: watched again.
        * running by its record, conmon gone: its end is read from the exit file, then its restart policy applies.
        * not running by its record, yet known to the runtime: its start was interrupted; killed and cleaned up.
        * a step of a build: removed in any state.
        """
        known = {key for runtime in self._runtimes.all().values() for key in runtime.known()}
        again: list[EngineContainer] = []
        for container in self._containers.all():  # before any that has ended releases its volumes
            if _is_running(container):
                self._claims.keep(container)
        for container in self._containers.all():
            record = container.record
            if record.phase != "ready" or not container.directory.exists():
                with contextlib.suppress(PydError):
                    await self._runtimes.of(record).delete(record.id)
                await self._endpoints.leave(container)
                await self._remover.erase(container, volumes=record.phase != "ready")
            elif _is_running(container):
                self._endpoints.adopt(container)
                self._lifecycle.watch(container)
                self._tasks.start(self._freezer.thaw(container))
            elif record.running or record.status == "restarting":
                await self._lifecycle.record_missed_end(container)
                again += [container] if restarts.is_restarted_after_end(container.record) else []
            else:
                if record.id in known or container.bundle.exists():
                    await self._lifecycle.undo_start(container)
                if restarts.is_started_with_engine(container.record):
                    again.append(container)
        self._sweep(known)
        self._tasks.start(self._volumes.unmount_unclaimed())
        await self._networks.reconcile()
        await self._endpoints.reconcile()
        starting: dict[str, asyncio.Task[None]] = {}
        for container in again:
            starting[container.id] = self._tasks.start(self._start(container, starting))
        for container in self._containers.all():
            if container.record.step:
                self._tasks.start(self._lifecycle.remove(container, force=True, volumes=True))

    async def _start(self, container: EngineContainer, starting: Mapping[str, asyncio.Task[None]]) -> None:
        """Start a container again, after those it has links to; all these tasks are known before the first one runs."""
        before = [
            starting[other.id]
            for other, _ in legacy_links.targets(self._containers, container.record)
            if other.id in starting
        ]
        if before:
            await asyncio.wait(before, timeout=LINK_TIMEOUT_S)
        try:
            await self._lifecycle.start(container)
        except (PydError, OSError) as error:
            log.warning("can't start %s again: %s", container.record.name, error)

    def _sweep(self, known: set[str]) -> None:
        """Remove files and runtime state without a record."""
        ids = {container.id for container in self._containers.all()}
        for key in known - ids:
            self._tasks.start(self._delete(key))
        for parent, inner in ((self._config.run / "c", "shm"), (self._config.root / "containers", "merged")):
            for left in parent.iterdir():
                if left.name not in ids:
                    unmount(left / inner)
                    remove_tree(left, ignore_errors=True)
        for left in (self._config.run / "exits").iterdir():
            if left.name not in ids:
                left.unlink()

    async def _delete(self, key: str) -> None:
        await asyncio.sleep(0)
        for runtime in self._runtimes.all().values():
            if key in runtime.known():
                with contextlib.suppress(PydError):
                    await runtime.delete(key)


def _is_running(container: EngineContainer) -> bool:
    record = container.record
    return record.phase == "ready" and record.running and record.holder is not None and record.holder.lives
