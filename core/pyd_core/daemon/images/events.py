"""What events tell about images: their labels, and the name that was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyd_core.daemon.images.store import ImageRecord
from pyd_core.errors import PydError
from pyd_core.model.image import Removed
from pyd_core.model.reference import Reference

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Engine


def emit(daemon: Engine, action: str, record: ImageRecord, *, key: str = "", name: str = "") -> None:
    """Tells that something happened to an image; key and name are its id where it isn't meant by a name."""
    daemon.events.emit("image", action, key or record.id, {**_labels(daemon, record), "name": name or record.id})


def _labels(daemon: Engine, record: ImageRecord) -> dict[str, str]:
    try:
        return daemon.images.labels(record)
    except (PydError, OSError):  # damaged on the disk, which must keep nobody from removing it
        return {}


def tag(daemon: Engine, record: ImageRecord, reference: Reference) -> None:
    """Points a name at an image, and tells of it."""
    daemon.images.tag(record, reference)
    emit(daemon, "tag", record, name=str(reference))


async def remove(daemon: Engine, name: str, *, force: bool, prune: bool = True) -> list[Removed]:
    """Removes a name, and the image with its last, and tells of both.

    Raises:
        NotFound: There is none.
        Conflict: A container needs it, or an id is given and several names point at it.
    """
    record = daemon.images.find(name)
    labels = _labels(daemon, record)
    images = {each.id for each in daemon.images.all()}
    removed = await daemon.images.remove(name, force=force, prune=prune)
    tagged = any(each.untagged and "@" not in each.untagged for each in removed)
    for each in removed:
        if each.untagged:
            if tagged and "@" in each.untagged:
                continue  # a digest that goes with its tag
            daemon.events.emit("image", "untag", record.id, {**labels, "name": record.id})
        elif each.deleted in images:  # the rest are layers
            daemon.events.emit("image", "delete", each.deleted, {"name": each.deleted})
    return removed
