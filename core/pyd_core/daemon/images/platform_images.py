"""Images by name and platform: a name can stand for an index whose images are for several platforms."""

from __future__ import annotations

from pyd_core.daemon.images import platforms
from pyd_core.daemon.images.store import ImageRecord, ImageStore
from pyd_core.errors import NotFound


def find_for(images: ImageStore, name: str, platform: str) -> ImageRecord:
    """Return the image with a name for a platform; an empty platform is any.

    Raises:
        NotFound: There is none; the message names the platform that there is.
        InvalidInput: The name or the platform is malformed.
    """
    record = images.find(name)
    if not platform:
        return record
    try:
        platforms.check_platform(name, images.config(record), platform)
    except NotFound:
        index = images.indexes.get(record.id)
        for variant in index.variants() if index is not None else []:
            candidate = images.find(variant)
            if _is_for(images, candidate, platform):
                return candidate
        raise
    return record


def _is_for(images: ImageStore, record: ImageRecord, platform: str) -> bool:
    try:
        platforms.check_platform(record.id, images.config(record), platform)
    except NotFound:
        return False
    return True
