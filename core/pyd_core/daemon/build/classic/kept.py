"""Containers of RUN steps that are kept, so that users can look into them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyd_core.daemon.containers.collection import ContainerStore
from pyd_core.daemon.containers.creation import ContainerCreator
from pyd_core.errors import PydError
from pyd_core.model.base import format_time
from pyd_core.model.container_config import HealthConfig
from pyd_core.model.creation import CreateBody
from pyd_core.model.host_config import HostConfig

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class EndedStep:
    """A step that has run.

    Attributes:
        key: The container's id.
        image_id: The image that it ran in.
        words: Its command.
        env: Its variables besides the image's.
        host: Its network and limits.
    """

    key: str
    image_id: str
    words: Sequence[str]
    env: Sequence[str]
    host: HostConfig
    started_ns: int


class KeptSteps:
    """Keeps steps as containers that have exited.

    Args:
        creator: Creates them.
        containers: Has them.
    """

    def __init__(self, creator: ContainerCreator, containers: ContainerStore) -> None:
        self._creator = creator
        self._containers = containers

    async def keep(self, step: EndedStep, *, exit_code: int, changes: Path | None) -> None:
        """Keep a step; one that can't be kept is only logged, for the build's outcome is another matter.

        Args:
            step: The step.
            exit_code: Of its command.
            changes: The directory with its changes, in the form of overlayfs; None for none.
        """
        body = CreateBody(
            image=step.image_id,
            cmd=list(step.words),
            entrypoint=[""],
            env=list(step.env),
            healthcheck=HealthConfig(test=["NONE"]),
            host_config=step.host,
        )
        try:
            container = self._creator.create(body, "", key=step.key)
            if changes is not None:
                await _copy(changes, container.upper)
        except (PydError, OSError) as error:
            log.warning("the container of a build's step can't be kept: %s", error)
            return
        record = container.record
        record.status, record.exit_code = "exited", exit_code
        record.started_at, record.finished_at = format_time(step.started_ns), format_time(time.time_ns())
        self._containers.save_best_effort(container)


async def _copy(source: Path, target: Path) -> None:
    """Copy a layer with its whiteouts and attributes."""
    await asyncio.to_thread(target.mkdir, parents=True, exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        "/bin/cp", "-a", "--reflink=auto", "--", f"{source}/.", str(target), stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()
    if process.returncode:
        raise OSError(errors.decode(errors="replace")[-300:])
