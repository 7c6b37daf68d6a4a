"""The parts of the engine that builds use."""

from __future__ import annotations

from dataclasses import dataclass

from pyd_core.daemon.containers.creation import ContainerCreator
from pyd_core.daemon.containers.files import ContainerFiles
from pyd_core.daemon.containers.lifecycle import Lifecycle
from pyd_core.daemon.images.events import ImageEvents
from pyd_core.daemon.images.store import ImageStore
from pyd_core.tasks import TaskOwner


@dataclass(frozen=True, kw_only=True)
class BuildServices:
    """The services that the steps of a build share."""

    images: ImageStore
    image_events: ImageEvents
    creator: ContainerCreator
    files: ContainerFiles
    lifecycle: Lifecycle
    tasks: TaskOwner
