"""Image indexes of builds: images for several platforms, and their attestations.

The record goes into the image index that a push writes. The image itself is stored as any other.
"""

from __future__ import annotations

import msgspec

from pyd_core.daemon.images.attestations import PROVENANCE_TYPE


class IndexPart(msgspec.Struct, frozen=True, kw_only=True):
    """An image of an index.

    Attributes:
        image_id: The image.
        platform: `linux/arm64`; empty where the build named none.
        provenance: The predicate of its provenance, as JSON; empty for none.
        predicate_type: The type of that predicate.
    """

    image_id: str
    platform: str = ""
    provenance: bytes = b""
    predicate_type: str = PROVENANCE_TYPE


class BuiltIndex(msgspec.Struct, frozen=True, kw_only=True):
    """The index of a build.

    Attributes:
        image_id: The image that carries the build's names.
        parts: All images of the index, with that one.
        annotations: The exporter's attributes with annotations, such as `annotation-index.KEY`.
    """

    image_id: str
    parts: tuple[IndexPart, ...]
    annotations: dict[str, str] = {}

    def variants(self) -> list[str]:
        """Return the images that only the index refers to."""
        return [part.image_id for part in self.parts if part.image_id != self.image_id]
