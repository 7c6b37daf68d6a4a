"""Events of images, with their labels and the name in the request."""

from __future__ import annotations

from pyd_core.daemon.events import EventBus
from pyd_core.daemon.images.store import ImageRecord, ImageStore
from pyd_core.errors import PydError
from pyd_core.model.image import Removed
from pyd_core.model.reference import Reference


class ImageEvents:
    """Changes of images' names that emit events."""

    def __init__(self, images: ImageStore, events: EventBus) -> None:
        self._images = images
        self._events = events

    def emit(self, action: str, record: ImageRecord, *, key: str = "", name: str = "") -> None:
        """Emit an event for an image; key and name default to its id."""
        self._events.emit("image", action, key or record.id, {**self._labels(record), "name": name or record.id})

    def _labels(self, record: ImageRecord) -> dict[str, str]:
        try:
            return self._images.labels(record)
        except (PydError, OSError):  # damaged on disk, which must not prevent its removal
            return {}

    def tag(self, record: ImageRecord, reference: Reference) -> None:
        """Point a name at an image, and emit the event."""
        self._images.tag(record, reference)
        self.emit("tag", record, name=str(reference))

    async def remove(self, name: str, *, force: bool, prune: bool = True) -> list[Removed]:
        """Remove a name, and the image with its last name, and emit the events.

        Raises:
            NotFound: There is no such image.
            Conflict: A container uses it, or it was given by id and has several names.
        """
        record = self._images.find(name)
        labels = self._labels(record)
        image_ids = {image.id for image in self._images.all()}
        removed = await self._images.remove(name, force=force, prune=prune)
        has_tag = any(item.untagged and "@" not in item.untagged for item in removed)
        for item in removed:
            if item.untagged:
                if has_tag and "@" in item.untagged:
                    continue  # the digest is removed with its tag
                self._events.emit("image", "untag", record.id, {**labels, "name": record.id})
            elif item.deleted in image_ids:  # the others are layers
                self._events.emit("image", "delete", item.deleted, {"name": item.deleted})
        return removed
