"""A session in a container that doesn't run, or in an image."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pyd_core.debug.failures import failure
from pyd_core.debug.join import CallFailed
from pyd_core.debug.offline.plan import DEVICES, find_layers, plan_stage
from pyd_core.debug.offline.stage import Holder
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.reference import IMAGE
from pyd_core.debug.target import Target
from pyd_core.errors import InvalidInput
from pyd_core.linux.process import ProcessEntry
from pyd_core.model.container import Container
from pyd_core.sanitise import safe

MEMORY_SHARE = 4
"""What a session changes may take this part of the host's memory."""


@contextmanager
def staged(
    container: Container, options: DebugOptions, toolbox: str, notify: Callable[[str], None]
) -> Iterator[tuple[Target, Holder]]:
    """Builds the stage for a container, as long as the block lasts.

    Args:
        container: What the engine tells of it.
        options: What to do.
        toolbox: The toolbox's folder.
        notify: Told what the container had that the stage has not.

    Raises:
        PydError: It can't be built; nothing is left of it.
    """
    shown = safe(container.name) or container.id[:12]
    stage = plan_stage(
        container,
        find_layers(container.graph_driver, shown),
        toolbox=toolbox,
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MEMORY_SHARE,
        writable_volumes=options.volumes == "rw",
        network="",
    )
    try:
        holder = Holder(stage)
    except CallFailed as error:
        raise failure(error.call, error.number, error.subject, target=shown) from error
    try:
        if holder.built.unknown_user and options.identity == "target":
            raise InvalidInput(
                f"{shown} has no user {safe(holder.built.unknown_user)!r}; it couldn't start either",
                hint="use --as root or --as UID[:GID]",
                reference="unknown-user",
            )
        for note in holder.built.notes:
            notify(note)
        yield Target(container, ProcessEntry(holder.pid), devices=DEVICES), holder
    finally:
        holder.close()


def banner(target: Target, options: DebugOptions) -> str:
    """Returns how such a session begins."""
    state = safe(target.container.state.status)
    if state == IMAGE:
        return f"{target.name}, an image, as a container of it would start: what you change is thrown away"
    volumes = "its volumes are read-only" if options.volumes == "ro" else "its volumes are the real ones, and writable"
    return f"{target.name} ({state}) as it would start: what you change is thrown away, {volumes}, there is no network"
