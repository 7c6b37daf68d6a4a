"""The creation of containers: a request checked, completed by its image, and recorded."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from pyd_core.daemon import userns
from pyd_core.daemon.containers import mounts, options
from pyd_core.daemon.containers.collection import ContainerStore
from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.containers.record import ContainerRecord, MountRecord, new_id
from pyd_core.daemon.events import EventBus
from pyd_core.daemon.images.platform_images import find_for
from pyd_core.daemon.images.store import ImageStore
from pyd_core.daemon.networks import legacy_links
from pyd_core.daemon.networks.endpoints import Endpoints
from pyd_core.daemon.runtime.runtime_choice import Runtimes
from pyd_core.daemon.store import Store
from pyd_core.daemon.volumes import VolumeStore
from pyd_core.errors import InvalidInput, NotFound
from pyd_core.model.container_config import ContainerConfig
from pyd_core.model.creation import CreateBody
from pyd_core.model.host_config import HostConfig


class ContainerCreator:
    """Creates containers.

    Args:
        root: The engine's data.
        processors: How many the host has.
        store: Checked for room on the disk.
        containers: Gets the new containers.
        images: Where they come from.
        volumes: What they mount.
        endpoints: Resolves their networks.
        runtimes: Those that they may name.
        remapping: Which ids containers have on the host; None where they are the same.
        events: Gets an event for each.
    """

    def __init__(
        self,
        *,
        root: Path,
        processors: int,
        store: Store,
        containers: ContainerStore,
        images: ImageStore,
        volumes: VolumeStore,
        endpoints: Endpoints,
        runtimes: Runtimes,
        remapping: userns.Remapping | None,
        events: EventBus,
    ) -> None:
        self._root = root
        self._processors = processors
        self._store = store
        self._containers = containers
        self._images = images
        self._volumes = volumes
        self._endpoints = endpoints
        self._runtimes = runtimes
        self._remapping = remapping
        self._events = events

    def create(
        self, body: CreateBody, name: str, *, platform: str = "", key: str = "", sent_empty: Sequence[str] = ()
    ) -> EngineContainer:
        """Create a container.

        Args:
            body: The request.
            name: The container's name; an empty one is made up.
            platform: The platform that the image must have; empty is any.
            key: The container's id; an empty one is made up.
            sent_empty: Fields of the host configuration that were sent empty, by their name on the wire.

        Raises:
            NotFound: There is no such image.
            Conflict: The name is taken.
            InvalidInput: The request makes no sense.
        """
        self._store.ensure_disk_space()
        options.check(body, self._processors)
        self._runtimes.find(body.host_config.runtime)
        userns.check(self._remapping, body.host_config)
        name = self._containers.new_name(name)
        if not body.image:
            raise InvalidInput("no image specified" if body.cmd or body.entrypoint else "no command specified")
        image = find_for(self._images, body.image, platform)
        file = self._images.config(image)
        key = key or new_id()
        config = options.merge_image_config(body, file.config or ContainerConfig(), key)
        self._check_joined(body.host_config)
        host = body.host_config
        for mode in (host.pid_mode, host.ipc_mode):  # a network to join is checked at the start
            if mode.startswith("container:"):
                self._other(mode.partition(":")[2])
        if body.network_disabled:
            host = msgspec.structs.replace(host, network_mode="none")
        if host.memory > 0 and not host.memory_swap:
            host = msgspec.structs.replace(host, memory_swap=host.memory * 2)
        if host.pids_limit is not None and host.pids_limit <= 0:
            host = msgspec.structs.replace(host, pids_limit=None)
        record = ContainerRecord(
            id=key,
            name=name,
            created_ns=time.time_ns(),
            image_id=image.id,
            image=body.image,
            layers=image.layers,
            config=config,
            host=host,
            sent_empty=list(sent_empty),
        )
        record.links = legacy_links.resolve(self._containers, host)
        record.networks = self._endpoints.resolve_endpoints(record, options.requested_endpoints(body))
        record.mounts = mounts.plan(config, body.host_config, self._volumes, self._mounts_of, root=self._root)
        container = self._containers.add(record)
        self._events.emit("container", "create", key, container.attributes())
        return container

    def _other(self, name: str) -> EngineContainer:
        try:
            return self._containers.find(name)
        except NotFound as error:  # clients read a 404 of a creation as a missing image, and pull it
            raise InvalidInput(error.message) from error

    def _check_joined(self, host: HostConfig) -> None:
        """Check that the containers exist whose namespaces are to be joined; they need not run yet."""
        for mode in (host.pid_mode, host.ipc_mode):
            if mode.startswith("container:"):
                self._other(mode.partition(":")[2])

    def _mounts_of(self, name: str) -> list[MountRecord]:
        return self._other(name).record.mounts
