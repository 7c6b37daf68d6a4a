"""Images: configurations with layers, and the names that refer to them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Protocol

import msgspec

from pyd_core.daemon import rmtree
from pyd_core.daemon.images.blobs import BlobStore
from pyd_core.daemon.images.built_index import BuiltIndex
from pyd_core.daemon.images.config import ImageConfig, read_config
from pyd_core.daemon.images.layers import LayerStore, StoredLayer
from pyd_core.daemon.images.names import familiar_name, full_name, with_digests
from pyd_core.daemon.store import Store, StoreTable
from pyd_core.errors import Conflict, InvalidInput, NotFound, PydError
from pyd_core.model.base import format_time, parse_time
from pyd_core.model.container import GraphDriver
from pyd_core.model.container_config import ContainerConfig
from pyd_core.model.image import HistoryLayer, Image, ImageMetadata, ImageRootFs, ImageSummary, Removed
from pyd_core.model.reference import IMAGE_ID, Reference, parse

log = logging.getLogger(__name__)


class ImageRecord(msgspec.Struct, kw_only=True):
    """Stored record of an image; its configuration is a blob."""

    id: str
    layers: list[str] = []
    """Diff ids, the lowest first."""
    names: list[str] = []
    """Full names with a tag: `docker.io/library/debian:13`."""
    digests: list[str] = []
    """Full names with a manifest's digest, for images from a registry."""
    parent: str = ""
    adopted: bool = False
    """Whether the parent comes from the image's own history, which the build cache doesn't trust."""
    tagged_ns: int = 0
    """Time of the last tagging in nanoseconds since the epoch; 0 is never."""


class ImageUsers(Protocol):
    """The containers, as far as images depend on them."""

    def using_image(self, image_id: str) -> list[str]:
        """Return the ids of the containers that were created from an image."""
        ...

    def is_running(self, container_id: str) -> bool:
        """Return whether a container runs."""
        ...

    def layers_in_use(self) -> Iterable[str]:
        """Return the diff ids of the layers that containers are mounted from."""
        ...


class ImageStore:
    """All images of the engine."""

    def __init__(self, store: Store, blobs: BlobStore, layers: LayerStore, users: ImageUsers) -> None:
        self.blobs = blobs
        self.layers = layers
        self._store = store
        self._table = StoreTable(store, "image", ImageRecord)
        self.indexes = StoreTable(store, "image_index", BuiltIndex)
        """By the image that carries the names."""
        self._users = users
        self.layer_users: list[Callable[[], Iterable[str]]] = []
        """What else needs layers: each returns diff ids."""
        self._hold_counts: Counter[str] = Counter()
        self._children: dict[str, list[str]] = {}
        """Images created from each image, for the build cache; some may have been removed."""
        self._remove_lost()
        for record in self._table:
            self._children.setdefault(record.parent, []).append(record.id)

        used = set(self._table.keys()) | {layer.blob for layer in layers.all()}
        blobs.remove_all_but(used)  # blobs without a record, left by a crash

    def _remove_lost(self) -> None:
        """Remove the records of images that a power failure has damaged."""
        for record in self._table:
            if not self.layers.rechecked.isdisjoint(record.layers) and not self._is_complete(record):
                log.warning("image %s was lost, the machine stopped before it was written", record.id)
                self._table.delete(record.id)
                self.indexes.delete(record.id)

    def _is_complete(self, record: ImageRecord) -> bool:
        return all(diff_id in self.layers for diff_id in record.layers) and self.blobs.is_intact(record.id)

    def __len__(self) -> int:
        return len(self._table)

    def all(self) -> list[ImageRecord]:
        """Return every image."""
        return list(self._table)

    def config(self, record: ImageRecord) -> ImageConfig:
        """Read an image's configuration.

        Raises:
            PydError: It is missing from the store, or damaged.
        """
        return read_config(self.blobs.read(record.id))

    def readable(self) -> list[ImageRecord]:
        """Return the images whose configuration and layers are readable, so that a damaged one can't break a list."""
        return [record for record in self._table if self._is_readable(record)]

    def _is_readable(self, record: ImageRecord) -> bool:
        try:
            self.config(record)
            self.size(record)
        except (PydError, OSError) as error:
            log.warning("image %s is left out of lists: %s", record.id, error)
            return False
        return True

    def labels(self, record: ImageRecord) -> dict[str, str]:
        """Return an image's labels."""
        config = self.config(record).config
        return config.labels if config else {}

    def find(self, name: str) -> ImageRecord:
        """Return an image by name, digest, id or unambiguous prefix of an id.

        Raises:
            NotFound: There is no such image.
            InvalidInput: The name is malformed.
        """
        match = IMAGE_ID.fullmatch(name)
        prefix = f"sha256:{match[1]}" if match else ""
        if match:
            exact = self._table.get(prefix)
            if exact is not None:
                return exact
        if not name.startswith("sha256:"):
            reference = parse(name)
            wanted_name = full_name(reference)
            for record in self._table:
                if wanted_name in record.names or wanted_name in record.digests:
                    return record
        if match:
            matches = [record for record in self._table if record.id.startswith(prefix)]
            if len(matches) == 1:
                return matches[0]
            if matches:
                raise InvalidInput(f"image id {name} is ambiguous")
        if name.startswith("sha256:"):  # version 0.1 allowed such names: they must remain removable
            old_name = f"docker.io/library/{name}"
            old_record = next((record for record in self._table if old_name in record.names), None)
            if old_record is not None:
                return old_record
        display_name = name if ":" in name else f"{name}:latest"
        raise NotFound(f"No such image: {display_name}")

    def find_by_name(self, reference: Reference) -> ImageRecord | None:
        """Return the image that has a name; ids don't count."""
        name = full_name(reference)
        return next((record for record in self._table if name in record.names), None)

    def tags(self, repository: str) -> list[str]:
        """Return the names of images in a repository, sorted."""
        return sorted(name for record in self._table for name in record.names if name.rpartition(":")[0] == repository)

    def add(self, config: bytes, layers: list[str], *, parent: str = "", adopted: bool = False) -> ImageRecord:
        """Store an image whose layers exist, and return it; the same configuration is the same image.

        Args:
            config: Its configuration.
            layers: The diff ids of its layers.
            parent: The id of the image that it was created from; empty if unknown.
            adopted: Whether the parent comes from the image's own history.

        Raises:
            InvalidInput: The configuration is invalid.
        """
        read_config(config)
        image_id = self.blobs.put(config)
        record = self._table.get(image_id)
        if record is None:
            record = ImageRecord(id=image_id, layers=layers, parent=parent, adopted=adopted)
            self._table.put(image_id, record)
            self._children.setdefault(parent, []).append(image_id)
        return record

    def adopt(self, record: ImageRecord, parent: ImageRecord) -> None:
        """Make an image without a parent the child of an image whose history and layers it continues."""
        if self._table.get(record.parent) is not None or record.id == parent.id:
            return
        record.parent, record.adopted = parent.id, True
        self._table.put(record.id, record)
        self._children.setdefault(parent.id, []).append(record.id)

    def descends(self, record: ImageRecord, ancestor: ImageRecord) -> bool:
        """Return whether an image is the ancestor or was created from it."""
        current: ImageRecord | None = record
        while current is not None and current.id != ancestor.id:
            current = self._table.get(current.parent)
        return current is not None

    def children(self, image_id: str) -> list[ImageRecord]:
        """Return the images created from an image."""
        records = [self._table.get(child) for child in dict.fromkeys(self._children.get(image_id, []))]
        children = [child for child in records if child is not None and child.parent == image_id]
        self._children[image_id] = [child.id for child in children]
        return children

    def tag(self, record: ImageRecord, reference: Reference) -> None:
        """Point a name at an image, and away from any other."""
        name = full_name(reference)
        with self._store.transaction():
            for other in self._table:
                if other.id != record.id and name in other.names:
                    other.names.remove(name)
                    self._table.put(other.id, other)
            names = record.digests if reference.digest else record.names
            record.tagged_ns = time.time_ns()
            if name not in names:
                names.append(name)
            self._table.put(record.id, record)

    async def remove(self, name: str, *, force: bool, prune: bool = True) -> list[Removed]:
        """Remove a name and, if it was the last, the image with everything only it needed.

        Raises:
            NotFound: There is no such image.
            Conflict: A container uses it, or it was given by id and has several names.
        """
        record = self.find(name)
        by_id = bool(IMAGE_ID.fullmatch(name)) and record.id.startswith(f"sha256:{name.removeprefix('sha256:')}")
        if by_id:
            if len({text.rpartition(":")[0] for text in record.names}) > 1 and not force:
                raise Conflict(
                    f"conflict: unable to delete {record.id[7:19]} (must be forced) - image is referenced in multiple "
                    "repositories"
                )
            self._check_deletable(record, force=force)
            untagged = [*record.names, *record.digests]
        else:
            untagged = with_digests(full_name(parse(name)), record.names, record.digests)
        is_last = not {*record.names, *record.digests} - set(untagged)
        users = self._users.using_image(record.id)
        if not by_id and is_last and users and not force:
            raise Conflict(
                f'conflict: unable to remove repository reference "{name}" (must force) - container {users[0][:12]} is '
                f"using its referenced image {record.id[7:19]}"
            )
        removed: list[Removed] = []
        for full in untagged:
            for names in (record.names, record.digests):
                if full in names:
                    names.remove(full)
                    removed.append(Removed(untagged=familiar_name(full)))
        if record.names or not is_last or (users and not (by_id and force)) or (not by_id and self.children(record.id)):
            self._table.put(record.id, record)
            return removed
        with self._store.transaction(durable=True):
            images = self._delete(record)
            images += self._delete_steps(record.parent) if prune else ()
            layers = self.layers.delete_unused(self._used_layers()) if prune else []
        await rmtree.remove([*map(self.blobs.set_aside, images), *self.layers.set_aside(layers)])
        return [*removed, *(Removed(deleted=key) for key in [*images, *(layer.diff_id for layer in layers)])]

    def _check_deletable(self, record: ImageRecord, *, force: bool) -> None:
        """Refuse to delete an image by id where Docker Engine does, with its messages.

        Raises:
            Conflict: It has child images, or a container uses it; `force` ignores stopped containers.
        """
        message = f"conflict: unable to delete {record.id[7:19]}"
        if self.children(record.id):
            raise Conflict(f"{message} (cannot be forced) - image has dependent child images")
        users = self._users.using_image(record.id)
        running = next((container for container in users if self._users.is_running(container)), None)
        if running is not None:
            raise Conflict(f"{message} (cannot be forced) - image is being used by running container {running[:12]}")
        if users and not force:
            raise Conflict(f"{message} (must be forced) - image is being used by stopped container {users[0][:12]}")

    async def sweep(self) -> list[StoredLayer]:
        """Delete the layers that no image, container or unfinished pull needs, and return them."""
        with self._store.transaction(durable=True):
            layers = self.layers.delete_unused(self._used_layers())
        await rmtree.remove(self.layers.set_aside(layers))
        return layers

    @asynccontextmanager
    async def sweep_if_cancelled(self) -> AsyncIterator[None]:
        """Remove the layers of an image again if its creation is cancelled."""
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            await self.sweep()
            raise

    def _delete(self, record: ImageRecord) -> list[str]:
        """Delete the records of an image and of what only its index refers to; return their ids."""
        self._table.delete(record.id)
        index = self.indexes.get(record.id)
        if index is None:
            return [record.id]
        self.indexes.delete(record.id)
        return [record.id, *(key for variant in index.variants() for key in self._delete_steps(variant))]

    def _delete_steps(self, image_id: str) -> list[str]:
        """Delete the records of build steps, from an image down its parents, until one that is still needed."""
        deleted: list[str] = []
        parents = self.parents()
        while (record := self._table.get(image_id)) is not None:
            if record.names or record.digests or record.id in parents or self.is_needed(record.id):
                break
            deleted += self._delete(record)
            image_id, parents = record.parent, self.parents()
        return deleted

    def parents(self) -> set[str]:
        """Return the ids of the images that others were created from, or whose index they belong to."""
        variants = {variant for index in self.indexes for variant in index.variants()}
        return {record.parent for record in self._table} | variants

    def is_needed(self, image_id: str) -> bool:
        """Return whether a container or a running build uses an image."""
        return self._hold_counts[image_id] > 0 or bool(self._users.using_image(image_id))

    @contextmanager
    def hold(self, image_ids: Iterable[str]) -> Iterator[None]:
        """Keep unnamed images from being pruned while something is created from them."""
        ids = list(image_ids)
        self._hold_counts.update(ids)
        try:
            yield
        finally:
            self._hold_counts.subtract(ids)

    def image_layers(self) -> set[str]:
        """Return the diff ids of the layers of all images."""
        return {diff_id for record in self._table for diff_id in record.layers}

    def _used_layers(self) -> set[str]:
        used = self.image_layers()
        used.update(self._users.layers_in_use())
        for layer_user in self.layer_users:
            used.update(layer_user())
        return used

    def size(self, record: ImageRecord) -> int:
        """Return the size of all files in its layers, in bytes."""
        return sum(self.layers.get(diff_id).size for diff_id in record.layers)

    def summary(self, record: ImageRecord, *, containers: int = -1) -> ImageSummary:
        """Return its entry in a list."""
        file = self.config(record)
        config = file.config or ContainerConfig()
        return ImageSummary(
            id=record.id,
            parent_id=record.parent,
            repo_tags=[familiar_name(name) for name in record.names],
            repo_digests=[familiar_name(name) for name in record.digests],
            created=(parse_time(file.created) or 0) // 1_000_000_000,
            size=self.size(record),
            labels=config.labels,
            containers=containers,
        )

    def inspect(self, record: ImageRecord) -> Image:
        """Return its full inspect data."""
        file = self.config(record)
        directories = [str(self.layers.directory(diff_id)) for diff_id in reversed(record.layers)]
        data = {"UpperDir": directories[0]} if directories else {}
        if len(directories) > 1:
            data["LowerDir"] = ":".join(directories[1:])
        return Image(
            id=record.id,
            repo_tags=[familiar_name(name) for name in record.names],
            repo_digests=[familiar_name(name) for name in record.digests],
            comment=file.comment or (file.history[-1].comment if file.history else ""),
            created=file.created,
            author=file.author,
            parent=record.parent,
            docker_version=file.docker_version,
            metadata=ImageMetadata(
                last_tag_time=format_time(record.tagged_ns) if record.tagged_ns else "0001-01-01T00:00:00Z"
            ),
            config=file.config or ContainerConfig(),
            architecture=file.architecture,
            variant=file.variant,
            os=file.os,
            size=self.size(record),
            graph_driver=GraphDriver(name="overlay2", data=data),
            root_fs=ImageRootFs(type="layers", layers=record.layers),
        )

    def history(self, record: ImageRecord) -> list[HistoryLayer]:
        """Return the steps of its history, newest first."""
        steps: list[HistoryLayer] = []
        layers = iter(record.layers)
        for step in self.config(record).history or []:
            diff_id = "" if step.empty_layer else next(layers, "")
            steps.append(
                HistoryLayer(
                    id="<missing>",
                    created=(parse_time(step.created) or 0) // 1_000_000_000,
                    created_by=step.created_by,
                    size=self.layers.get(diff_id).size if diff_id else 0,
                    comment=step.comment,
                )
            )
        steps.reverse()
        ancestor: ImageRecord | None = record
        for index, layer in enumerate(steps):  # the images of a build's steps, as far as they exist
            if ancestor is None:
                break
            tags = [familiar_name(name) for name in ancestor.names]
            steps[index] = msgspec.structs.replace(layer, id=ancestor.id, tags=tags)
            ancestor = self._table.get(ancestor.parent)
        return steps
