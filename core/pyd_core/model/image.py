"""Images and their layers."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from pyd_core.model.base import ApiStruct
from pyd_core.model.container import GraphDriver
from pyd_core.model.container_config import ContainerConfig


class ImageSummary(ApiStruct):
    """Entry of `GET /images/json`."""

    SPEC: ClassVar[str] = "ImageSummary"

    id: str
    parent_id: str = ""
    repo_tags: list[str] = []
    repo_digests: list[str] = []
    created: int = 0
    """Seconds since the epoch."""
    size: int = 0
    """Bytes, shared layers included."""
    shared_size: int = -1
    labels: dict[str, str] = {}
    containers: int = -1


class ImageRootFs(ApiStruct):
    """Layers of an image, by the digests of the unpacked tars."""

    SPEC: ClassVar[str] = "ImageInspect.RootFS"

    type: str = ""
    layers: list[str] = []


class ImageMetadata(ApiStruct):
    """Metadata that an engine keeps about an image."""

    SPEC: ClassVar[str] = "ImageInspect.Metadata"

    last_tag_time: str = ""


class Image(ApiStruct):
    """Response of `GET /images/{name}/json`."""

    SPEC: ClassVar[str] = "ImageInspect"

    id: str
    repo_tags: list[str] = []
    repo_digests: list[str] = []
    parent: str = ""
    comment: str = ""
    created: str = ""
    docker_version: str = ""
    author: str = ""
    config: ContainerConfig = ContainerConfig()
    architecture: str = ""
    variant: str = ""
    os: str = ""
    size: int = 0
    graph_driver: GraphDriver = GraphDriver()
    root_fs: ImageRootFs = msgspec.field(name="RootFS", default_factory=ImageRootFs)
    metadata: ImageMetadata = ImageMetadata()


class HistoryLayer(ApiStruct):
    """Step of an image's history, newest first."""

    SPEC: ClassVar[str] = "GET /images/{name}/history 200[]"

    id: str = ""
    created: int = 0
    created_by: str = ""
    tags: list[str] = []
    size: int = 0
    comment: str = ""


class Removed(ApiStruct):
    """Tag or image that was removed."""

    SPEC: ClassVar[str] = "ImageDeleteResponseItem"

    untagged: str = ""
    deleted: str = ""


class ImagesPruned(ApiStruct):
    """Response to pruning images."""

    SPEC: ClassVar[str] = "POST /images/prune 200"

    images_deleted: list[Removed] = []
    space_reclaimed: int = 0
    """Bytes."""


class BuildPruned(ApiStruct):
    """Response to pruning the build cache."""

    SPEC: ClassVar[str] = "POST /build/prune 200"

    caches_deleted: list[str] = []
    space_reclaimed: int = 0
    """Bytes."""


class SearchResult(ApiStruct, rename=None):
    """Repository of the public registry."""

    SPEC: ClassVar[str] = "GET /images/search 200[]"

    name: str = ""
    description: str = ""
    star_count: int = 0
    is_official: bool = False
    is_automated: bool = False


class LoggedIn(ApiStruct):
    """Response of a registry that accepted the credentials."""

    SPEC: ClassVar[str] = "POST /auth 200"

    status: str = ""
    identity_token: str = ""
