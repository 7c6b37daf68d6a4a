"""Putting the world in line with the records after a stop, a crash or a reboot."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyd_core.daemon.containers import restarts, volumes
from pyd_core.daemon.networks import legacy_links
from pyd_core.errors import PydError
from pyd_core.linux.mount import unmount
from pyd_core.linux.tree import remove_tree

if TYPE_CHECKING:
    from pyd_core.daemon.containers.container import EngineContainer
    from pyd_core.daemon.engine import Engine

PATIENCE = 5.0
"""Seconds that a container waits for those it is linked with to start again, as in Docker Engine."""
log = logging.getLogger(__name__)


async def recover(daemon: Engine) -> None:
    """Finishes what was begun, undoes what was half made, finds running containers again.

    * `creating` or `removing`: removed whole; so is one whose directory a power cut took, or whose end in the store.
    * running by its record and its conmon lives: watched again.
    * running by its record, conmon gone: its end is taken from the exit file, then its restart policy applies.
    * not running by its record, yet known to the runtime: the start was cut short; killed and cleaned.
    * a step of a build: whatever it did, it is removed.
    """
    known = {key for runtime in daemon.runtimes.all().values() for key in runtime.known()}
    again: list[EngineContainer] = []
    for container in daemon.containers.all():  # before any that has ended gives its volumes back
        if _lives(container):
            volumes.keep(daemon, container)
    for container in daemon.containers.all():
        record = container.record
        if record.phase != "ready" or not container.directory.exists():
            with contextlib.suppress(PydError):
                await daemon.runtimes.of(record).delete(record.id)
            await daemon.endpoints.leave(container)
            await daemon.containers.erase(container, volumes=record.phase != "ready")
        elif _lives(container):
            daemon.endpoints.remember(container)
            daemon.lifecycle.watch(container)
            daemon.tasks.start(daemon.freezer.thaw(container))
        elif record.running or record.status == "restarting":
            await daemon.lifecycle.settle(container)
            again += [container] if restarts.wanted(container.record) else []
        else:
            if record.id in known or container.bundle.exists():
                await daemon.lifecycle.undo_start(container)
            if restarts.wanted_by_engine(container.record):
                again.append(container)
    _sweep(daemon, known)
    daemon.tasks.start(daemon.volumes.settle())
    await daemon.networks.reconcile()
    await daemon.endpoints.reconcile()
    starting: dict[str, asyncio.Task[None]] = {}
    for container in again:
        starting[container.id] = daemon.tasks.start(_start(daemon, container, starting))
    for container in daemon.containers.all():
        if container.record.step:
            daemon.tasks.start(daemon.lifecycle.remove(container, force=True, volumes=True))


def _lives(container: EngineContainer) -> bool:
    record = container.record
    return record.phase == "ready" and record.running and record.holder is not None and record.holder.lives


async def _start(daemon: Engine, container: EngineContainer, starting: Mapping[str, asyncio.Task[None]]) -> None:
    """Starts one again, after those it is linked with; all tasks of that are known before the first of them runs."""
    before = [starting[other.id] for other, _ in legacy_links.targets(daemon, container.record) if other.id in starting]
    if before:
        await asyncio.wait(before, timeout=PATIENCE)
    try:
        await daemon.lifecycle.start(container)
    except (PydError, OSError) as error:
        log.warning("can't start %s again: %s", container.record.name, error)


def _sweep(daemon: Engine, known: set[str]) -> None:
    """Takes away what belongs to no container: it was made and never recorded, or its record is gone."""
    ids = {container.id for container in daemon.containers.all()}
    for key in known - ids:
        daemon.tasks.start(_delete(daemon, key))
    for parent, inner in ((daemon.config.run / "c", "shm"), (daemon.config.root / "containers", "merged")):
        for left in parent.iterdir():
            if left.name not in ids:
                unmount(left / inner)
                remove_tree(left, ignore_errors=True)
    for left in (daemon.config.run / "exits").iterdir():
        if left.name not in ids:
            left.unlink()


async def _delete(daemon: Engine, key: str) -> None:
    await asyncio.sleep(0)
    for runtime in daemon.runtimes.all().values():
        if key in runtime.known():
            with contextlib.suppress(PydError):
                await runtime.delete(key)
