"""Images as containerd has them: names in one namespace, each of which stands for a manifest or an index."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Sequence
from functools import cached_property
from typing import TypeVar

import msgspec

from pyd_core.cri.containerd_channel import CALL_TIMEOUT_S, ContainerdChannel
from pyd_core.cri.contents import NodeContentStore
from pyd_core.cri.cri_images import REMOVAL_TIMEOUT_S
from pyd_core.cri.image_source import MAX_IMAGES
from pyd_core.cri.node_image import NodeImage, NodeImageConfig
from pyd_core.cri.proto import images_grpc, images_pb2
from pyd_core.dockerfile.platforms import normalize
from pyd_core.errors import EngineUnavailable, NotFound, ProtocolError, PydError

MAX_CONCURRENT_READS = 8
MAX_CACHED_IMAGES = 1000
MAX_MANIFESTS = 200

T = TypeVar("T")


class _Platform(msgspec.Struct, frozen=True):
    os: str = ""
    architecture: str = ""


class _Descriptor(msgspec.Struct, frozen=True):
    digest: str = ""
    size: int = 0
    platform: _Platform = _Platform()


class _Manifest(msgspec.Struct, frozen=True):
    """A manifest, or an index of manifests, whichever of the fields it has."""

    manifests: list[_Descriptor] | None = None
    config: _Descriptor = _Descriptor()
    layers: list[_Descriptor] = []


class _Contents(msgspec.Struct, frozen=True):
    """The contents of an image's documents, which never change."""

    config: NodeImageConfig
    config_digest: str
    size_bytes: int


class ContainerdImages:
    """The images of a namespace.

    Args:
        connection: The connection to containerd.
    """

    def __init__(self, connection: ContainerdChannel) -> None:
        self._connection = connection
        self._contents = NodeContentStore(connection)
        self._known: dict[str, _Contents] = {}
        """What documents hold, by the digest of the image."""
        self._reads = asyncio.Semaphore(MAX_CONCURRENT_READS)

    @cached_property
    def _stub(self) -> images_grpc.ImagesStub:
        return images_grpc.ImagesStub(self._connection.channel)

    async def list(self) -> list[NodeImage]:
        """Return the images, the names of each together."""
        with self._connection.calls():
            listed = await self._stub.List(
                images_pb2.ListImagesRequest(), timeout=CALL_TIMEOUT_S, metadata=self._connection.metadata()
            )
        names: dict[str, list[str]] = {}
        for image in listed.images[:MAX_IMAGES]:
            names.setdefault(image.target.digest, []).append(image.name)
        return await asyncio.gather(*(self._image(digest, of) for digest, of in names.items()))

    async def _image(self, digest: str, names: Sequence[str]) -> NodeImage:
        try:
            contents = await self._read(digest)
        except EngineUnavailable:
            raise
        except PydError:
            contents = _Contents(NodeImageConfig(), "", 0)  # an image of another kind, or only its name is here
        return NodeImage(
            id=digest,
            tags=tuple(sorted(name for name in names if "@" not in name and not name.startswith("sha256:"))),
            digests=tuple(sorted(name for name in names if "@" in name)),
            size_bytes=contents.size_bytes,
            config=contents.config,
        )

    async def get(self, image: NodeImage) -> NodeImage:
        """Return a listed image with its configuration and snapshotter."""
        contents = await self._read(image.id)
        snapshotter = await self._contents.snapshotter(contents.config_digest)
        return msgspec.structs.replace(image, config=contents.config, snapshotter=snapshotter)

    async def remove(self, image: NodeImage, names: Sequence[str]) -> Sequence[str]:
        """Remove names of an image; with its last tag the names that aren't tags go too, and so does its content."""
        gone = set(names) or {*image.tags, *image.digests}
        if gone >= set(image.tags):
            gone |= await self._names(image.id)
        for name in sorted(gone):
            with self._connection.calls():
                await self._stub.Delete(
                    images_pb2.DeleteImageRequest(name=name, sync=True),
                    timeout=REMOVAL_TIMEOUT_S,
                    metadata=self._connection.metadata(),
                )
        return sorted(gone)

    async def _names(self, digest: str) -> set[str]:
        """Return all names of an image; containerd's CRI has one that is an id."""
        request = images_pb2.ListImagesRequest(filters=[f'target.digest=="{digest}"'])
        with self._connection.calls():
            listed = await self._stub.List(request, timeout=CALL_TIMEOUT_S, metadata=self._connection.metadata())
        return {image.name for image in listed.images if image.target.digest == digest}

    async def _read(self, digest: str) -> _Contents:
        if (known := self._known.get(digest)) is not None:
            return known
        async with self._reads:
            manifest = await self._document(digest, _Manifest)
            if manifest.manifests is not None:
                manifest = await self._of_this_machine(manifest.manifests)
            config = await self._document(manifest.config.digest, NodeImageConfig)
        size = sum(max(0, part.size) for part in (manifest.config, *manifest.layers))
        contents = _Contents(config, manifest.config.digest, size)
        while len(self._known) >= MAX_CACHED_IMAGES:
            self._known.pop(next(iter(self._known)))
        self._known[digest] = contents
        return contents

    async def _of_this_machine(self, manifests: Sequence[_Descriptor]) -> _Manifest:
        """Return the manifest for this machine, else the first whose documents are here."""
        machine = normalize("linux", platform.machine()).architecture
        listed = manifests[:MAX_MANIFESTS]
        for entry in sorted(listed, key=lambda entry: entry.platform != _Platform("linux", machine)):
            try:
                manifest = await self._document(entry.digest, _Manifest)
                await self._contents.require(manifest.config.digest)
            except (NotFound, ProtocolError):
                continue
            return manifest
        raise NotFound("the image's content for this machine isn't here", reference="no-such-image")

    async def _document(self, digest: str, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(await self._contents.document(digest), type=kind)
        except msgspec.DecodeError as error:
            raise ProtocolError(f"the runtime's document {digest} can't be read: {error}") from error
