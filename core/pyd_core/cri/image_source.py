"""The seam between the two ways in which a node's runtime names its images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pyd_core.cri.node_image import NodeImage
from pyd_core.errors import Ambiguous, InvalidInput, NotFound
from pyd_core.model.reference import IMAGE_ID, parse
from pyd_core.sanitise import safe

MAX_IMAGES = 10_000
MAX_CANDIDATES = 10


class NodeImageSource(Protocol):
    """Lists, reads and removes images."""

    async def list(self) -> list[NodeImage]:
        """Return all images; their configurations are left out where that takes more requests."""
        ...

    async def get(self, image: NodeImage) -> NodeImage:
        """Return a listed image with its configuration.

        Raises:
            NotFound: It was removed meanwhile.
        """
        ...

    async def remove(self, image: NodeImage, names: Sequence[str]) -> Sequence[str]:
        """Remove names of an image, all if none are given, and return what was removed.

        Raises:
            Unsupported: The runtime removes images with all their names only.
        """
        ...


def pick(images: Sequence[NodeImage], name: str) -> NodeImage:
    """Choose an image by a name, its id, or the beginning of its id.

    Raises:
        NotFound: There is none.
        Ambiguous: It is the beginning of several ids.
    """
    full = full_name(name)
    for image in images:
        if name == image.id or {name, full} & {*image.tags, *image.digests}:
            return image
    if (match := IMAGE_ID.fullmatch(name)) is not None:
        matches = [image for image in images if image.id.removeprefix("sha256:").startswith(match[1])]
        if len(matches) == 1:
            return matches[0]
        if matches:
            candidates = [image.id for image in matches[:MAX_CANDIDATES]]
            raise Ambiguous(
                f"{safe(name)!r} is the beginning of {len(matches)} image ids",
                candidates=candidates,
                hint="write more of the id",
            )
    raise NotFound(f"no such image: {safe(name)}", hint="list them with: pyd images", reference="no-such-image")


def full_name(name: str) -> str:
    """Return a name with registry and tag, as runtimes store it; unchanged if it isn't a reference."""
    try:
        reference = parse(name)
    except InvalidInput:
        return name
    tag = f":{reference.tag}" if reference.tag else ""
    digest = f"@{reference.digest}" if reference.digest else ""
    return f"{reference.repository}{tag}{digest}"
