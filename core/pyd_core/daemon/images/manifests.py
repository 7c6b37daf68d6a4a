"""Manifests of exported images (OCI image spec, manifest.md and image-index.md); Docker's media types on request."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyd_core.daemon.images.layers import StoredLayer
from pyd_core.errors import InvalidInput

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
_OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
_DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
MAX_ANNOTATIONS = 1000


@dataclass(frozen=True)
class Document:
    """A document with its digest."""

    media: str
    body: bytes

    @property
    def digest(self) -> str:
        """The digest that names it."""
        return f"sha256:{hashlib.sha256(self.body).hexdigest()}"

    def descriptor(self, **more: Any) -> dict[str, Any]:
        """Return a reference to it."""
        return {"mediaType": self.media, "digest": self.digest, "size": len(self.body), **more}


@dataclass
class Annotations:
    """Annotations in an exporter's attributes, such as `annotation.KEY` and `annotation-index[linux/amd64].KEY`."""

    by_part: dict[str, dict[str, str]] = field(default_factory=dict)
    """By `manifest`, `index`, `manifest-descriptor` and `index-descriptor`."""

    @classmethod
    def parse(cls, attrs: Mapping[str, str], platform: str = "") -> Annotations:
        """Return those that concern a platform.

        Raises:
            InvalidInput: There are too many, or one is malformed.
        """
        result = cls()
        for key, value in attrs.items():
            head, dot, name = key.partition(".")
            if not dot or not head.startswith("annotation"):
                continue
            part = head.removeprefix("annotation").removeprefix("-")
            if "[" in part:
                part, _, selected = part.partition("[")
                if selected.rstrip("]") != platform:
                    continue
            part = part or "manifest"
            if part not in {"manifest", "index", "manifest-descriptor", "index-descriptor"}:
                raise InvalidInput(f"invalid annotation {key[:80]!r}")
            result.by_part.setdefault(part, {})[name] = value
        if sum(map(len, result.by_part.values())) > MAX_ANNOTATIONS:
            raise InvalidInput(f"more than {MAX_ANNOTATIONS} annotations")
        return result

    def fields(self, part: str) -> dict[str, Any]:
        """Return the field `annotations` of a document or descriptor; nothing where there are none."""
        return {"annotations": dict(sorted(self.by_part[part].items()))} if self.by_part.get(part) else {}


def manifest(
    config: bytes, layers: Sequence[StoredLayer], *, is_oci: bool, annotations: Annotations | None = None
) -> Document:
    """Return an image's manifest."""
    media = OCI_MANIFEST if is_oci else DOCKER_MANIFEST
    body = {
        "schemaVersion": 2,
        "mediaType": media,
        "config": Document(OCI_CONFIG if is_oci else DOCKER_CONFIG, config).descriptor(),
        "layers": [layer_descriptor(layer, is_oci=is_oci) for layer in layers],
        **(annotations.fields("manifest") if annotations is not None else {}),
    }
    return Document(media, json.dumps(body, indent=2).encode())


def index(manifests: Sequence[Mapping[str, Any]], *, is_oci: bool, annotations: Annotations | None = None) -> Document:
    """Return an index of manifests, given by descriptors."""
    media = OCI_INDEX if is_oci else DOCKER_LIST
    more = annotations.fields("index") if annotations is not None else {}
    body = {"schemaVersion": 2, "mediaType": media, "manifests": list(manifests), **more}
    return Document(media, json.dumps(body, indent=2).encode())


def layer_descriptor(layer: StoredLayer, *, is_oci: bool) -> dict[str, Any]:
    """Return a reference to a packed layer."""
    return {"mediaType": _layer_media(layer, is_oci=is_oci), "digest": layer.blob, "size": layer.packed}


def _layer_media(layer: StoredLayer, *, is_oci: bool) -> str:
    suffix = "zstd" if "zstd" in layer.media else "gzip"
    return f"{_OCI_LAYER}+{suffix}" if is_oci else f"{_DOCKER_LAYER}.{suffix}"


def platform_text_of(config: bytes) -> str:
    """Return an image's platform as `linux/arm64`, from its configuration."""
    platform = platform_of(config)
    return "/".join(platform[key] for key in ("os", "architecture", "variant") if platform.get(key))


def platform_of(config: bytes) -> dict[str, str]:
    """Return an image's platform, from its configuration."""
    document = json.loads(config)
    platform = {"architecture": document.get("architecture", ""), "os": document.get("os", "linux")}
    if document.get("variant"):
        platform["variant"] = document["variant"]
    return platform
