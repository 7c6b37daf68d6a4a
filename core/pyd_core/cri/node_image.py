"""An image of a node's runtime, and its forms in the shared model."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pyd_core.model.base import parse_time
from pyd_core.model.container import GraphDriver
from pyd_core.model.container_config import ContainerConfig
from pyd_core.model.image import HistoryLayer, Image, ImageRootFs, ImageSummary


class NodeImageStep(msgspec.Struct, frozen=True):
    """A step of an image's history, the oldest first in a configuration."""

    created: str = ""
    created_by: str = ""
    comment: str = ""
    empty_layer: bool = False


class NodeImageRootFs(msgspec.Struct, frozen=True):
    """The digests of the unpacked layers, the lowest first."""

    diff_ids: list[str] | None = None


class NodeImageConfig(msgspec.Struct, frozen=True):
    """The configuration of an image (OCI image specification, config.md), as far as it is shown."""

    architecture: str = ""
    os: str = ""
    variant: str = ""
    created: str = ""
    author: str = ""
    config: ContainerConfig | None = None
    rootfs: NodeImageRootFs = NodeImageRootFs()
    history: list[NodeImageStep] | None = None


class NodeImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image.

    Attributes:
        id: The digest by which the runtime names it.
        tags: Its names with a tag; hostile, as all texts here.
        digests: Its names with a digest.
        size_bytes: Bytes of its layers as the runtime stores them.
        config: Its configuration; empty where it wasn't read.
        snapshotter: Has its unpacked layers; empty where it isn't known.
    """

    id: str
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    size_bytes: int = 0
    config: NodeImageConfig = NodeImageConfig()
    snapshotter: str = ""

    @property
    def diff_ids(self) -> list[str]:
        """The digests of its unpacked layers, the lowest first."""
        return self.config.rootfs.diff_ids or []


def summary_of(image: NodeImage) -> ImageSummary:
    """Return an image as lists have it."""
    created_ns = parse_time(image.config.created)
    settings = image.config.config
    return ImageSummary(
        id=image.id,
        repo_tags=list(image.tags),
        repo_digests=list(image.digests),
        created=created_ns // 10**9 if created_ns is not None else 0,
        size=image.size_bytes,
        labels=settings.labels if settings is not None else {},
    )


def image_of(image: NodeImage) -> Image:
    """Return an image in the shared model."""
    config = image.config
    return Image(
        id=image.id,
        repo_tags=list(image.tags),
        repo_digests=list(image.digests),
        created=config.created,
        author=config.author,
        config=config.config or ContainerConfig(),
        architecture=config.architecture,
        variant=config.variant,
        os=config.os or "linux",
        size=image.size_bytes,
        graph_driver=GraphDriver(name=image.snapshotter),
        root_fs=ImageRootFs(type="layers", layers=image.diff_ids),
    )


def history_of(image: NodeImage, sizes: Sequence[int]) -> list[HistoryLayer]:
    """Return the build steps of an image, newest first.

    Args:
        image: The image.
        sizes: Bytes of its unpacked layers, the lowest first.
    """
    remaining = iter(sizes)
    steps = [
        HistoryLayer(
            id="<missing>",
            created=(parse_time(step.created) or 0) // 10**9,
            created_by=step.created_by,
            size=0 if step.empty_layer else next(remaining, 0),
            comment=step.comment,
        )
        for step in image.config.history or []
    ]
    steps += [HistoryLayer(id="<missing>", size=size) for size in remaining]  # a history may be cut
    steps.reverse()
    if steps:
        steps[0] = msgspec.structs.replace(steps[0], id=image.id, tags=list(image.tags))
    return steps
