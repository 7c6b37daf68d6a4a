"""All containers: finding one, making one, taking one away."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from pyd_core.daemon import rmtree, userns
from pyd_core.daemon.containers import mounts, names, options
from pyd_core.daemon.containers import volumes as claims
from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.containers.record import ContainerRecord, MountRecord, new_id
from pyd_core.daemon.images import platforms
from pyd_core.daemon.networks import files, legacy_links
from pyd_core.daemon.store import StoreTable
from pyd_core.errors import Ambiguous, Conflict, EngineError, InvalidInput, NotFound
from pyd_core.linux.mount import unmount
from pyd_core.linux.tree import remove_tree
from pyd_core.model.container_config import ContainerConfig
from pyd_core.model.creation import CreateBody
from pyd_core.model.host_config import HostConfig

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Engine

log = logging.getLogger(__name__)


class ContainerStore:
    """The engine's containers, by id; names are unique."""

    def __init__(self, daemon: Engine) -> None:
        self._daemon = daemon
        self._root = daemon.config.root / "containers"
        self._run = daemon.config.run / "c"
        self._shelf = StoreTable(daemon.store, "container", ContainerRecord)
        for directory in (self._root, self._run):
            directory.mkdir(parents=True, exist_ok=True, mode=0o711)
        self._all = {record.id: self._wrap(record) for record in self._shelf}
        self._names = {record.name: record.id for record in self._shelf}

    def _wrap(self, record: ContainerRecord) -> EngineContainer:
        return EngineContainer(record, root=self._root, run=self._run)

    def __len__(self) -> int:
        return len(self._all)

    def all(self) -> list[EngineContainer]:
        """Returns every container, newest first."""
        return sorted(self._all.values(), key=lambda each: -each.record.created_ns)

    def find(self, name: str) -> EngineContainer:
        """Finds a container by id, name, or unambiguous prefix of an id.

        Raises:
            NotFound: There is none.
            Ambiguous: Several ids begin so.
        """
        exact = self._all.get(name) or self._all.get(self._names.get(name.removeprefix("/"), "")) or self._linked(name)
        if exact is not None:
            return exact
        found = [key for key in self._all if key.startswith(name)] if name else []
        if len(found) == 1:
            return self._all[found[0]]
        if found:
            raise Ambiguous(f"multiple IDs found with provided prefix: {name}", candidates=found)
        raise NotFound(f"No such container: {name[:128]}")

    def _linked(self, name: str) -> EngineContainer | None:
        """Finds the container that a link gives a name: `PARENT/ALIAS`."""
        parent, _, alias = name.removeprefix("/").partition("/")
        owner = self._all.get(self._names.get(parent, ""))
        if owner is None or not alias:
            return None
        return self._all.get(legacy_links.links_of(self._daemon, owner.record).get(alias, ""))

    def unlink(self, name: str) -> None:
        """Removes a link by the name it gives a container, `PARENT/ALIAS`.

        Raises:
            NotFound: There is none.
            EngineError: It is a container's own name.
        """
        self.find(name)
        parent, _, alias = name.removeprefix("/").partition("/")
        if not alias:
            raise EngineError("Conflict, cannot remove the default link name of the container")
        owner = self.find(parent)
        owner.record.links = {key: each for key, each in owner.record.links.items() if key != alias}
        owner.record.host = msgspec.structs.replace(
            owner.record.host, links=[each for each in owner.record.host.links if legacy_links.parse(each)[1] != alias]
        )
        self.save(owner)
        if owner.record.running:
            files.write(self._daemon, owner)

    def get(self, key: str) -> EngineContainer | None:
        """Returns a container by its id."""
        return self._all.get(key)

    def save(self, container: EngineContainer) -> None:
        """Writes its record."""
        self._shelf.put(container.id, container.record)

    def save_best_effort(self, container: EngineContainer) -> None:
        """Writes its record where the disk has room for it.

        For ends and removals, which happen whether or not they can be written down: what this process knows holds, and
        the next one finds out as after a crash.
        """
        try:
            self.save(container)
        except OSError as error:
            log.warning("can't write down that %s is %s: %s", container.record.name, container.record.status, error)

    def _other(self, name: str) -> EngineContainer:
        try:
            return self.find(name)
        except NotFound as error:  # clients take a 404 of creation for a missing image, and pull it
            raise InvalidInput(error.message) from error

    def _check_joined(self, host: HostConfig) -> None:
        """Checks that the containers whose namespaces are to be joined exist; they need not run yet."""
        for mode in (host.pid_mode, host.ipc_mode):
            if mode.startswith("container:"):
                self._other(mode.partition(":")[2])

    def _mounts_of(self, name: str) -> list[MountRecord]:
        return self._other(name).record.mounts

    def create(
        self, body: CreateBody, name: str, *, platform: str = "", step: bool = False, sent_empty: Sequence[str] = ()
    ) -> EngineContainer:
        """Makes a container.

        Args:
            body: What is asked for.
            name: Empty has one made up.
            platform: What the image must be for; empty is any.
            step: Whether it is one of a build.
            sent_empty: Fields of the host configuration that were sent empty, by their name on the wire.

        Raises:
            NotFound: There is no such image.
            Conflict: The name is taken.
            InvalidInput: The request makes no sense.
        """
        daemon = self._daemon
        daemon.store.ensure_disk_space()
        options.check(body, daemon.processors)
        daemon.runtimes.find(body.host_config.runtime)
        userns.check(daemon.remapping, body.host_config)
        name = names.check(name) if name else names.make_up(self._names)
        taken = self._names.get(name)
        if taken is not None:
            raise Conflict(
                f'Conflict. The container name "/{name}" is already in use by container "{taken}". '
                "You have to remove (or rename) that container to be able to reuse that name."
            )
        if not body.image:
            raise InvalidInput("no image specified" if body.cmd or body.entrypoint else "no command specified")
        image = daemon.images.find(body.image)
        file = daemon.images.file(image)
        if platform:
            platforms.check(body.image, file, platform)
        key = new_id()
        config = options.merge_image_config(body, file.config or ContainerConfig(), key)
        self._check_joined(body.host_config)
        host = body.host_config
        for mode in (host.pid_mode, host.ipc_mode):  # a network to join is looked for when it starts
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
            step=step,
        )
        record.links = legacy_links.resolve(daemon, host)
        record.networks = daemon.endpoints.resolve_endpoints(record, options.requested_endpoints(body))
        record.mounts = mounts.plan(config, body.host_config, daemon.volumes, self._mounts_of, root=daemon.config.root)
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
            self._shelf.delete(key)
            shutil.rmtree(container.directory, ignore_errors=True)
            raise
        self._all[key] = container
        self._names[name] = key
        daemon.events.emit("container", "create", key, container.attributes())
        return container

    def rename(self, container: EngineContainer, name: str) -> None:
        """Gives a container another name.

        Raises:
            InvalidInput: It is its own, or isn't allowed.
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
        self._daemon.events.emit("container", "rename", container.id, container.attributes(oldName=f"/{old}"))

    async def erase(self, container: EngineContainer, *, volumes: bool) -> None:
        """Takes away a container that doesn't run: its mounts, files, name and record."""
        record = container.record
        record.phase, record.status = "removing", "removing"
        self.save_best_effort(container)
        unmount(container.root)
        shutil.rmtree(container.bundle, ignore_errors=True)
        await claims.release(self._daemon, container, container.id)  # of a start that was cancelled
        self._daemon.last_output.keep(container)
        # In one step first: a power cut may take the record's end, and half a directory would look like a whole one.
        going = container.directory.with_suffix(".gone")
        with contextlib.suppress(FileNotFoundError):
            container.directory.rename(going)
        await rmtree.remove([going])
        if going.exists():
            await asyncio.to_thread(remove_tree, going)  # says what is in the way
        try:
            self._shelf.delete(container.id)
        except OSError as error:  # the disk is full: the next engine finds no directory for the row, and drops it
            log.warning("can't write down that %s is removed: %s", record.name, error)
            self._shelf.forget(container.id)
        self._all.pop(container.id, None)
        if self._names.get(record.name) == container.id:
            del self._names[record.name]
        if volumes:
            for mount in record.mounts:
                known = mount.anonymous and mount.volume in self._daemon.volumes
                if known and not self._daemon.volumes.users(mount.volume):
                    await self._daemon.volumes.remove(mount.volume)
        self._daemon.events.emit("container", "destroy", container.id, container.attributes())
        container.tell_removed()
