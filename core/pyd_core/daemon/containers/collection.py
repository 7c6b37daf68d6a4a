"""The store of containers: their records, ids and names."""

from __future__ import annotations

import logging
import shutil

from pyd_core.daemon.config import DaemonConfig
from pyd_core.daemon.containers import names
from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.containers.record import ContainerRecord
from pyd_core.daemon.events import EventBus
from pyd_core.daemon.networks import legacy_links
from pyd_core.daemon.store import Store, StoreTable
from pyd_core.errors import Ambiguous, Conflict, InvalidInput, NotFound

log = logging.getLogger(__name__)


class ContainerStore:
    """The engine's containers, by id; names are unique."""

    def __init__(self, config: DaemonConfig, store: Store, events: EventBus) -> None:
        self._events = events
        self._root = config.root / "containers"
        self._run = config.run / "c"
        self._shelf = StoreTable(store, "container", ContainerRecord)
        for directory in (self._root, self._run):
            directory.mkdir(parents=True, exist_ok=True, mode=0o711)
        self._all = {record.id: self._wrap(record) for record in self._shelf}
        self._names = {record.name: record.id for record in self._shelf}

    def _wrap(self, record: ContainerRecord) -> EngineContainer:
        return EngineContainer(record, root=self._root, run=self._run)

    def __len__(self) -> int:
        return len(self._all)

    def all(self) -> list[EngineContainer]:
        """Return every container, newest first."""
        return sorted(self._all.values(), key=lambda container: -container.record.created_ns)

    def find(self, name: str) -> EngineContainer:
        """Return a container by id, name, or unambiguous prefix of an id.

        Raises:
            NotFound: There is none.
            Ambiguous: Several ids begin so.
        """
        exact = self._all.get(name) or self._all.get(self._names.get(name.removeprefix("/"), "")) or self._linked(name)
        if exact is not None:
            return exact
        matches = [key for key in self._all if key.startswith(name)] if name else []
        if len(matches) == 1:
            return self._all[matches[0]]
        if matches:
            raise Ambiguous(f"multiple IDs found with provided prefix: {name}", candidates=matches)
        raise NotFound(f"No such container: {name[:128]}")

    def _linked(self, name: str) -> EngineContainer | None:
        """Return the container that a link gives a name: `PARENT/ALIAS`."""
        parent, _, alias = name.removeprefix("/").partition("/")
        owner = self._all.get(self._names.get(parent, ""))
        if owner is None or not alias:
            return None
        return self._all.get(legacy_links.links_of(self, owner.record).get(alias, ""))

    def get(self, key: str) -> EngineContainer | None:
        """Return a container by its id."""
        return self._all.get(key)

    def save(self, container: EngineContainer) -> None:
        """Write a container's record."""
        self._shelf.put(container.id, container.record)

    def save_best_effort(self, container: EngineContainer) -> None:
        """Write a container's record, or log a warning when the disk is full.

        For ends and removals, which happen whether or not they can be recorded. This process knows the truth, and the
        next one recovers it as after a crash.
        """
        try:
            self.save(container)
        except OSError as error:
            log.warning("can't write down that %s is %s: %s", container.record.name, container.record.status, error)

    def new_name(self, name: str) -> str:
        """Return the name for a new container; an empty one is made up.

        Raises:
            Conflict: The name is taken.
            InvalidInput: It isn't allowed.
        """
        name = names.check(name) if name else names.make_up(self._names)
        taken = self._names.get(name)
        if taken is not None:
            raise Conflict(
                f'Conflict. The container name "/{name}" is already in use by container "{taken}". '
                "You have to remove (or rename) that container to be able to reuse that name."
            )
        return name

    def add(self, record: ContainerRecord) -> EngineContainer:
        """Add a container, with its directories.

        Raises:
            OSError: The disk is full, say; nothing is left.
        """
        container = self._wrap(record)
        self.save(container)
        try:
            container.directory.mkdir(mode=0o710)
            for path in (container.upper, container.work, container.root):
                path.mkdir()
            container.upper.chmod(0o755)
            record.phase = "ready"
            self.save(container)
        except OSError:
            self._shelf.delete(record.id)
            shutil.rmtree(container.directory, ignore_errors=True)
            raise
        self._all[record.id] = container
        self._names[record.name] = record.id
        return container

    def discard(self, container: EngineContainer) -> None:
        """Drop a container whose files are removed, with its name."""
        try:
            self._shelf.delete(container.id)
        except OSError as error:  # the disk is full: the next engine drops the row, as it finds no directory
            log.warning("can't write down that %s is removed: %s", container.record.name, error)
            self._shelf.forget(container.id)
        self._all.pop(container.id, None)
        if self._names.get(container.record.name) == container.id:
            del self._names[container.record.name]

    def rename(self, container: EngineContainer, name: str) -> None:
        """Rename a container.

        Raises:
            InvalidInput: The name is its own, or isn't allowed.
            Conflict: The name is taken.
        """
        old = container.record.name
        if name.removeprefix("/") == old:
            raise InvalidInput("Renaming a container with the same name as its current name")
        try:
            name = names.check(name)
        except InvalidInput as error:
            raise InvalidInput(f"Error when allocating new name: {error.message}", reference="bad-name") from None
        taken = self._names.get(name)
        if taken is not None:
            raise Conflict(
                f'Error when allocating new name: Conflict. The container name "/{name}" is already in use by '
                f'container "{taken}". You have to remove (or rename) that container to be able to reuse that name.'
            )
        del self._names[old]
        container.record.name = name
        self._names[name] = container.id
        self.save(container)
        self._events.emit("container", "rename", container.id, container.attributes(oldName=f"/{old}"))

    # What depends on containers

    def using_image(self, image_id: str) -> list[str]:
        """Return the ids of the containers that were created from an image."""
        return [container.id for container in self.all() if container.record.image_id == image_id]

    def using_volume(self, name: str) -> list[str]:
        """Return the ids of the containers that have a volume."""
        return [
            container.id for container in self.all() if any(mount.volume == name for mount in container.record.mounts)
        ]

    def is_running(self, container_id: str) -> bool:
        """Return whether a container runs."""
        container = self._all.get(container_id)
        return container is not None and container.record.running

    def layers_in_use(self) -> set[str]:
        """Return the diff ids of the layers that containers are mounted from."""
        return {diff_id for container in self.all() for diff_id in container.record.layers}
