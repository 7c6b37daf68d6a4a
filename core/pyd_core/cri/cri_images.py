"""Images as the Container Runtime Interface has them: those of a node's pods."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import msgspec

from pyd_core.cri.containerd_channel import CALL_TIMEOUT_S, ContainerdChannel
from pyd_core.cri.contents import MAX_DOCUMENT_BYTES, NodeContentStore
from pyd_core.cri.image_source import MAX_IMAGES
from pyd_core.cri.node_image import NodeImage, NodeImageConfig
from pyd_core.cri.proto import cri_grpc, cri_pb2
from pyd_core.errors import NotFound, PydError, Unsupported
from pyd_core.sanitise import safe

REMOVAL_TIMEOUT_S = 120.0
"""Seconds the runtime may take to remove an image's layers."""


class _VerboseImageInfo(msgspec.Struct, frozen=True, rename="camel"):
    """The JSON text that containerd and CRI-O add to a verbose status."""

    image_spec: NodeImageConfig = NodeImageConfig()


class CriImages:
    """The images of pods.

    Args:
        connection: The connection to the runtime.
    """

    def __init__(self, connection: ContainerdChannel) -> None:
        self._connection = connection
        self._contents = NodeContentStore(connection)

    @cached_property
    def _stub(self) -> cri_grpc.ImageServiceStub:
        return cri_grpc.ImageServiceStub(self._connection.channel)

    async def list(self) -> list[NodeImage]:
        """Return the images without their configurations, which a list doesn't have."""
        with self._connection.calls():
            listed = await self._stub.ListImages(cri_pb2.ListImagesRequest(), timeout=CALL_TIMEOUT_S)
        return [_record(image) for image in listed.images[:MAX_IMAGES]]

    async def get(self, image: NodeImage) -> NodeImage:
        """Return a listed image with its configuration.

        Raises:
            NotFound: It was removed meanwhile.
        """
        spec = cri_pb2.ImageSpec(image=image.id)
        with self._connection.calls():
            status = await self._stub.ImageStatus(
                cri_pb2.ImageStatusRequest(image=spec, verbose=True), timeout=CALL_TIMEOUT_S
            )
        if not status.image.id:
            raise NotFound(f"no such image: {safe(image.id)}", reference="no-such-image")
        try:
            snapshotter = await self._contents.snapshotter(status.image.id)
        except PydError:
            snapshotter = ""  # a runtime other than containerd
        return msgspec.structs.replace(
            _record(status.image), config=_config(status.info.get("info", "")), snapshotter=snapshotter
        )

    async def remove(self, image: NodeImage, names: Sequence[str]) -> Sequence[str]:
        """Remove an image with all its names.

        Raises:
            Unsupported: Only some of its names are meant.
        """
        if names and set(image.tags) - set(names):
            raise Unsupported(
                "the Container Runtime Interface removes an image with all its names",
                hint=f"name it by its id: {safe(image.id)}",
                reference="removes-all-names",
            )
        spec = cri_pb2.ImageSpec(image=image.id)
        with self._connection.calls():
            await self._stub.RemoveImage(cri_pb2.RemoveImageRequest(image=spec), timeout=REMOVAL_TIMEOUT_S)
        return [*image.tags, *image.digests]


def _record(image: cri_pb2.Image) -> NodeImage:
    return NodeImage(id=image.id, tags=tuple(image.repo_tags), digests=tuple(image.repo_digests), size_bytes=image.size)


def _config(text: str) -> NodeImageConfig:
    if len(text) > MAX_DOCUMENT_BYTES:
        return NodeImageConfig()
    try:
        return msgspec.json.decode(text, type=_VerboseImageInfo).image_spec
    except msgspec.DecodeError:
        return NodeImageConfig()
