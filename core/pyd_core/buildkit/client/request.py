"""Description of a build, as a builder takes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from pyd_core.buildkit.client.oci_layout import LayoutDirectory
from pyd_core.buildkit.client.secrets import SecretSource

CONTEXT = "context"
"""Name of the local source with the build context."""
DOCKERFILE = "dockerfile"
"""Name of the local source with the Dockerfile's directory."""
FRONTEND = "dockerfile.v0"


class CacheEntry(msgspec.Struct, frozen=True):
    """A cache to import or export: a type, such as `registry`, and its attributes."""

    type: str
    attributes: Mapping[str, str] = {}


class BuildOutput(msgspec.Struct, frozen=True, kw_only=True):
    """An exporter of the result.

    Attributes:
        type: The exporter: `moby`, `image`, `local`, `tar`, `oci`, `docker`.
        attributes: Its attributes.
        destination: File or directory of this machine; `-` is standard output, None if nothing is sent back.
        layout: The directory of an image layout that the builder fills.
    """

    type: str
    attributes: Mapping[str, str] = {}
    destination: str | None = None
    layout: Path | None = None


class BuildRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A build.

    Attributes:
        attributes: Options of the front end, such as `target` and `build-arg:NAME`.
        directories: Local sources by name.
        outputs: None builds without keeping a result.
        cache_imports: Caches to read.
        cache_exports: Caches to write.
        secrets: Sources of secrets by id.
        agents: ssh agents' sockets by id.
        reference: Its id in the builder's history; empty makes one.
        is_internal: Whether the builder leaves it out of its history.
        entitlements: Privileges, such as `network.host`, that steps may use.
        layouts: Image layouts that the builder reads and fills, by the ids that its content stores have.
    """

    attributes: Mapping[str, str] = {}
    directories: Mapping[str, Path] = {}
    outputs: tuple[BuildOutput, ...] = ()
    cache_imports: tuple[CacheEntry, ...] = ()
    cache_exports: tuple[CacheEntry, ...] = ()
    secrets: Mapping[str, SecretSource] = {}
    agents: Mapping[str, Path] = {}
    entitlements: tuple[str, ...] = ()
    layouts: Mapping[str, LayoutDirectory] = {}
    frontend: str = FRONTEND
    reference: str = ""
    is_internal: bool = False


class BuildResult(msgspec.Struct, frozen=True, kw_only=True):
    """A finished build.

    Attributes:
        reference: Its id in the builder's history.
        metadata: The exporters' answers, such as `containerimage.digest`.
    """

    reference: str
    metadata: Mapping[str, str] = {}

    @property
    def image_id(self) -> str:
        """The id of the image; empty where none was made."""
        return self.metadata.get("containerimage.config.digest") or self.metadata.get("containerimage.digest", "")
