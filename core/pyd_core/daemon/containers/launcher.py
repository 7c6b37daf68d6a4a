"""The launch of a container: prepared, created by conmon and the runtime, and its main process started."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from pyd_core.daemon.config import DaemonConfig
from pyd_core.daemon.containers import log_rotation, subpaths
from pyd_core.daemon.containers.clean_up import CleanUp
from pyd_core.daemon.containers.collection import ContainerStore
from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.containers.log_options import NONE, LogLimits
from pyd_core.daemon.containers.population import VolumePopulator
from pyd_core.daemon.containers.start import StartPreparation
from pyd_core.daemon.runtime import conmon
from pyd_core.daemon.runtime.runtime_choice import Runtimes
from pyd_core.daemon.userns import Remapping, remapping_of
from pyd_core.errors import EngineError
from pyd_core.model.base import format_time


class Launcher:
    """Launches containers.

    Args:
        config: The engine's.
        containers: Stores their records.
        runtimes: Creates and starts them.
        populator: Fills their volumes.
        preparation: Prepares them.
        clean_up: Finishes the clean-up after an earlier run.
        remapping: Which ids containers have on the host; None where they are the same.
    """

    def __init__(
        self,
        *,
        config: DaemonConfig,
        containers: ContainerStore,
        runtimes: Runtimes,
        populator: VolumePopulator,
        preparation: StartPreparation,
        clean_up: CleanUp,
        remapping: Remapping | None,
    ) -> None:
        self._containers = containers
        self._runtimes = runtimes
        self._populator = populator
        self._preparation = preparation
        self._clean_up = clean_up
        self._remapping = remapping
        self.conmon = conmon.find()
        self.exits: Path = config.run / "exits"
        """Where conmon writes exit codes."""
        self.exits.mkdir(parents=True, exist_ok=True)
        self.exits.chmod(0o700)  # its file names are ids of containers
        self._parts = config.run / "parts"
        subpaths.release(self._parts)

    async def launch(self, container: EngineContainer) -> None:
        """Prepare a container, create it, and start its main process.

        Raises:
            PydError: A step failed; the caller cleans up.
        """
        if container.unclean:
            await self._clean_up.run(container)
        runtime = self._runtimes.of(container.record)
        if (runtime.state / container.id).exists():
            await runtime.delete(container.id)
        await self._populator.populate(container)
        await self._preparation.prepare(container)
        await self._run(container)

    async def _run(self, container: EngineContainer) -> None:
        record = container.record
        runtime = self._runtimes.of(record)
        limits = LogLimits.read(record.host.log_config)
        kept = record.host.log_config.type != NONE
        if kept:
            log_rotation.rotate_before_start(container.log, limits)
        (self.exits / record.id).unlink(missing_ok=True)
        (container.bundle / "oom").unlink(missing_ok=True)
        hold = conmon.ConmonOptions(
            key=record.id,
            bundle=container.bundle,
            log=container.log if kept else None,
            exits=self.exits,
            tty=record.config.tty,
            stdin=record.config.open_stdin,
            # A terminal's input has no end: a client that detaches may attach to it again.
            keep_stdin=record.config.open_stdin and (record.config.tty or not record.config.stdin_once),
            log_size=log_rotation.conmon_limit(limits),
        )
        record.main, record.holder = await conmon.create(self.conmon, runtime, hold)
        if remapping_of(self._remapping, record.host) is not None:
            conmon.give_streams(record.main)
        subpaths.release(self._parts, record.id)
        for attachment in list(container.attachments):
            with contextlib.suppress(EngineError):  # that client is released; the others and the start go ahead
                await attachment.open(container.bundle, container.next_end())
        record.status, record.exit_code, record.started_at = "running", 0, format_time(time.time_ns())
        self._containers.save(container)
        await runtime.start(record.id)
