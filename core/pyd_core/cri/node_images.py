"""Images of a node's runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from pyd_core.client.endpoint import Endpoint
from pyd_core.cri.containerd_channel import ContainerdChannel
from pyd_core.cri.image_source import NodeImageSource, full_name, pick
from pyd_core.cri.node_container import NodeContainer
from pyd_core.cri.node_image import NodeImage, history_of, image_of, summary_of
from pyd_core.cri.node_source import NodeSource
from pyd_core.cri.snapshot_chain import chain_id
from pyd_core.cri.snapshots import SnapshotsApi
from pyd_core.errors import Conflict, InvalidInput, NotFound
from pyd_core.model.base import encode
from pyd_core.model.image import HistoryLayer, Image, ImageSummary, Removed
from pyd_core.sanitise import safe

if TYPE_CHECKING:
    ImageList = list[ImageSummary]
    LayerList = list[HistoryLayer]
    RemovedList = list[Removed]

Filters = Mapping[str, list[str]]
MAX_LAYERS = 500
MAX_NAMED_USERS = 5


class NodeImages:
    """The images.

    Args:
        connection: The connection to the runtime.
        source: Lists and removes them.
        containers: Says which are in use.
        endpoint: Says whether removal is allowed.
    """

    removes_names_by_id: ClassVar[bool] = True

    def __init__(
        self, connection: ContainerdChannel, source: NodeImageSource, containers: NodeSource, endpoint: Endpoint
    ) -> None:
        self._connection = connection
        self._source = source
        self._containers = containers
        self._endpoint = endpoint

    async def list(self, *, all: bool = False, filters: Filters | None = None) -> ImageList:
        """Return the images.

        Args:
            all: No effect: a runtime has no intermediate images.
            filters: `reference` or `dangling`.

        Raises:
            InvalidInput: There is another filter.
        """
        del all
        filters = filters or {}
        if unknown := set(filters) - {"reference", "dangling"}:
            raise InvalidInput(f"a node's images have no filter {safe(', '.join(sorted(unknown)))!r}")
        return [summary_of(image) for image in await self._source.list() if _matches(image, filters)]

    async def inspect(self, name: str) -> Image:
        """Return an image's data in the shared model."""
        return image_of(await self._get(name))

    async def inspect_raw(self, name: str) -> bytes:
        """Return an image's data in the shared model, as JSON."""
        return encode(await self.inspect(name))

    async def history(self, name: str) -> LayerList:
        """Return the build steps of an image, newest first, with the sizes of unpacked layers."""
        image = await self._get(name)
        return history_of(image, await _layer_sizes(self._connection, image))

    async def remove(self, name: str, *, force: bool = False, prune: bool = True) -> RemovedList:
        """Remove a name, and the image if that was its last; an id removes all names.

        Args:
            name: The name, the id or the beginning of the id.
            force: Remove the image of existing containers too.
            prune: No effect: a runtime has no parents of images.

        Raises:
            Conflict: Containers use the image.
            Unsupported: The runtime removes images with all their names only.
        """
        del prune
        self._endpoint.require_writable()
        images = await self._source.list()
        image = pick(images, name)
        names = [known for known in (name, full_name(name)) if known in image.tags][:1]
        users = _users(image, await self._containers.list())
        is_last = not names or len(image.tags) < 2
        if users and is_last and not force:
            shown = ", ".join(users[:MAX_NAMED_USERS])
            raise Conflict(
                f"{safe(name)} is used by {safe(shown)}" + (" and others" if len(users) > MAX_NAMED_USERS else ""),
                hint="remove its containers first, or add --force",
                reference="image-in-use",
            )
        removed = [Removed(untagged=gone) for gone in await self._source.remove(image, names)]
        is_gone = all(other.id != image.id for other in await self._source.list())
        return [*removed, *([Removed(deleted=image.id)] if is_gone else [])]

    async def _get(self, name: str) -> NodeImage:
        return await self._source.get(pick(await self._source.list(), name))


async def _layer_sizes(connection: ContainerdChannel, image: NodeImage) -> list[int]:
    layers = image.diff_ids[:MAX_LAYERS]
    if not image.snapshotter:
        return [0] * len(layers)
    snapshots = SnapshotsApi(connection, image.snapshotter)
    sizes: list[int] = []
    for count in range(1, len(layers) + 1):
        try:
            sizes.append(await snapshots.size_bytes(chain_id(layers[:count])))
        except NotFound:
            sizes.append(0)  # not unpacked
    return sizes


def _users(image: NodeImage, containers: Sequence[NodeContainer]) -> list[str]:
    known = {image.id, *image.tags, *image.digests}
    return [container.name for container in containers if container.image_id in known or container.image in known]


def _matches(image: NodeImage, filters: Filters) -> bool:
    import fnmatch  # noqa: PLC0415 - only to filter

    references = filters.get("reference", [])
    if references:
        full = [full_name(text) for text in references]
        short = {name for tag in image.tags for name in (tag, tag.rpartition(":")[0])}
        if not any(fnmatch.fnmatchcase(name, text) for name in short for text in (*references, *full)):
            return False
    dangling = filters.get("dangling", [])
    return not dangling or (dangling[-1].lower() in {"1", "true"}) == (not image.tags)
