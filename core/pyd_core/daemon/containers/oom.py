"""Reports of containers that run out of memory, also while they keep running because another process was killed."""

from __future__ import annotations

import logging
from collections.abc import Callable

from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.errors import KernelError
from pyd_core.linux.watch import FileWatch

log = logging.getLogger(__name__)


def happened(container: EngineContainer) -> bool:
    """Return whether a container has run out of memory since its start; conmon creates a file when it does."""
    return (container.bundle / "oom").exists()


async def watch(container: EngineContainer, report: Callable[[EngineContainer], None]) -> None:
    """Call `report` once, as soon as a container runs out of memory."""
    try:
        with FileWatch(container.bundle) as changes:
            while not happened(container):
                await changes.changed()
    except KernelError as error:  # no inotify watch is left: it is reported when the container ends
        log.warning("can't watch the memory of %s: %s", container.record.name, error)
        return
    report(container)
