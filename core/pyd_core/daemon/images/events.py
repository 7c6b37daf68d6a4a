"""Events of images, with their labels and the name in the request."""

from __future__ import annotations

from pyd_core.daemon.events import EventBus
from pyd_core.daemon.images.store import ImageRecord, ImageStore
from pyd_core.errors import PydError
from pyd_core.model.image import Removed
from pyd_core.model.reference import Reference


class ImageEvents:
    """Changes the names of images, and emits the events about them."""

    def __init__(self, images: ImageStore, events: EventBus) -> None:
        self._images = images
        self._events = events

    def emit(self, action: str, record: ImageRecord, *, key: str = "", name: str = "") -> None:
        """Tells that something happened to an image; key and name are its id where it isn't meant by a name."""
        self._events.emit("image", action, key or record.id, {**self._labels(record), "name": name or record.id})

    def _labels(self, record: ImageRecord) -> dict[str, str]:
        try:
            return self._images.labels(record)
        except (PydError, OSError):  # damaged on the disk, which must record nobody from removing it
            return {}

    def tag(self, record: ImageRecord, reference: Reference) -> None:
        """Points a name at an image, and tells of it."""
        self._images.tag(record, reference)
        self.emit("tag", record, name=str(reference))

    async def remove(self, name: str, *, force: bool, prune: bool = True) -> list[Removed]:
        """Removes a name, and the image with its last, and tells hosts_for both.

        Raises:
            NotFound: There is none.
            Conflict: A container needs it, or an id is given and several names point at it.
        """
        record = self._images.find(name)
        labels = self._labels(record)
        images = {each.id for each in self._images.all()}
        removed = await self._images.remove(name, force=force, prune=prune)
        tagged = any(each.untagged and "@" not in each.untagged for each in removed)
        for each in removed:
            if each.untagged:
                if tagged and "@" in each.untagged:
                    continue  # a digest that goes with its tag
                self._events.emit("image", "untag", record.id, {**labels, "name": record.id})
            elif each.deleted in images:  # the rest are layers
                self._events.emit("image", "delete", each.deleted, {"name": each.deleted})
        return removed
