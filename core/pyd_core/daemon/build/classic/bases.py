"""Images that a classic build uses: found in the store, or pulled with progress."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from pyd_core.buildkit.frontend.image import BuiltImageConfig, read_image
from pyd_core.buildkit.frontend.stage_graph import SCRATCH
from pyd_core.buildkit.frontend.stage_node import StageNode
from pyd_core.buildkit.frontend.step_compiler import StepCompiler
from pyd_core.daemon.build.classic.stage import built_config, output_of
from pyd_core.daemon.build.request import Record
from pyd_core.daemon.images.load import encode_config
from pyd_core.daemon.images.platform_images import find_for
from pyd_core.daemon.images.store import ImageRecord, ImageStore
from pyd_core.errors import NotFound
from pyd_core.model.container_config import ContainerConfig

Fetch = Callable[[str, str], AsyncGenerator[Record, None]]
"""Pulls an image by name for a platform (empty: this host's) and yields its progress."""
SCRATCH_CREATED = "0001-01-01T00:00:00Z"


class BaseImages:
    """Finds and pulls images.

    Args:
        images: The store.
        fetch: Pulls an image.
        pulls: Whether to ask registries for images that exist locally.
        platform: The platform of stages that name none; empty is any.
    """

    def __init__(self, images: ImageStore, fetch: Fetch, *, pulls: bool, platform: str) -> None:
        self._images = images
        self._fetch = fetch
        self._pulls = pulls
        self._platform = platform

    async def pulled(self, node: StageNode) -> AsyncGenerator[Record, None]:
        """Pull the image of a stage's base unless it is here; the last record is an error if that failed."""
        name = node.base_name
        platform = self._platform_of(node)
        if name == SCRATCH or not (self._pulls or self.find(name, platform) is None):
            return
        async with aclosing(self._fetch(name, platform)) as progress:
            async for record in progress:
                yield record

    def _platform_of(self, node: StageNode) -> str:
        return str(node.platform) if node.platform is not None else self._platform

    def find(self, name: str, platform: str = "") -> ImageRecord | None:
        """Return an image by name or id; None if there is none for the platform."""
        try:
            return find_for(self._images, name, platform)
        except NotFound:
            return None

    def base(self, node: StageNode) -> ImageRecord:
        """Return the image of a stage's base.

        Raises:
            NotFound: There is none.
        """
        if node.base_name == SCRATCH:
            return self._images.add(encode_config(ContainerConfig(), [], [], created=SCRATCH_CREATED), [])
        return find_for(self._images, node.base_name, self._platform_of(node))

    def provide(self, compiler: StepCompiler, node: StageNode) -> None:
        """Give a base's image to the compiler.

        Raises:
            NotFound: There is none.
        """
        record = self.base(node)
        if node.base_name == SCRATCH:
            image = BuiltImageConfig()
        else:
            image = read_image(built_config(self._images, record), node.base_name)
        compiler.provide(node, image, output_of(record))
