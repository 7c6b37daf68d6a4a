"""Stages of a classic build: the current image, its configuration, and the images that count as a cache."""

from __future__ import annotations

import json
from dataclasses import dataclass

import msgspec

from pyd_core.buildkit.frontend.image import BuiltImageConfig
from pyd_core.buildkit.frontend.stage_node import StageNode
from pyd_core.buildkit.llb.vertex import GraphVertex, VertexOutput, describe
from pyd_core.buildkit.proto import ops_pb2
from pyd_core.daemon.build.classic import cache
from pyd_core.daemon.build.solver.sources.image import ID_SCHEME
from pyd_core.daemon.containers.commit import Origin, derive
from pyd_core.daemon.images.store import ImageRecord, ImageStore
from pyd_core.model.container_config import ContainerConfig


@dataclass
class ClassicStage:
    """State of a stage.

    Attributes:
        node: The stage as the front end has it; its output is always the current image.
        use_cache: Cleared at the first cache miss: later steps are based on another image.
        sources: The images of `--cache-from`; None without that option: then every image is a cache.
    """

    images: ImageStore
    node: StageNode
    image: ImageRecord
    use_cache: bool
    sources: list[ImageRecord] | None = None

    def __post_init__(self) -> None:
        self.output = self.node.output = output_of(self.image)
        """The current image as source."""

    @property
    def config(self) -> ContainerConfig:
        """The configuration after the last instruction."""
        return container_config(self.node.image)

    @property
    def is_empty(self) -> bool:
        """Whether it is `FROM scratch` without a step."""
        return not self.image.layers and not self.images.config(self.image).history

    def find_cached(self, created_by: str) -> bool:
        """Advance to an image that the same step created from the same image before, if there is one."""
        if not self.use_cache:
            return False
        config = self.config
        image = cache.find_child(self.images, self.image, created_by, config, self.sources)
        for source in [] if image else self.sources or []:
            image = cache.restore(self.images, self.image, created_by, config, source)
            if image is not None:
                self.sources = [source]  # as in Docker Engine, later steps come from the same image only
                break
        if image is None:
            self.use_cache = False
            return False
        self._move(image)
        return True

    async def commit(self, created_by: str, layer: str = "") -> None:
        """Make an image of the step that was applied last, with the layer that it made."""
        origin = Origin(created_by=created_by, author=self.node.image.author)
        self._move(await derive(self.images, self.image, self.config, origin, layer=layer))

    def _move(self, image: ImageRecord) -> None:
        self.image = image
        self.output = self.node.output = output_of(image)


def container_config(image: BuiltImageConfig) -> ContainerConfig:
    """Return an image's settings as the engine's own type."""
    return msgspec.json.decode(msgspec.json.encode(image.config), type=ContainerConfig)


def built_config(images: ImageStore, image: ImageRecord) -> bytes:
    """Return the configuration of an image of the store, for the front end."""
    body = json.loads(images.blobs.read(image.id))
    body["history"] = []  # the store's image has it; a front end that had it too would only copy it
    return json.dumps(body).encode()


def output_of(image: ImageRecord) -> VertexOutput | None:
    """Return an image of the store as source; one without layers is an empty file system."""
    if not image.layers:
        return None
    op = ops_pb2.Op(source=ops_pb2.SourceOp(identifier=f"{ID_SCHEME}{image.id}"))
    return GraphVertex(op, metadata=describe(f"FROM {image.id}")).output
