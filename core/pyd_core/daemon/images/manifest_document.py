"""Manifests of images as registries and layouts have them (OCI image spec, manifest.md and image-index.md)."""

from __future__ import annotations

import msgspec

from pyd_core.errors import InvalidInput, NotFound


class Blob(msgspec.Struct, rename="camel"):
    """A reference to a blob; its size is in bytes."""

    digest: str
    size: int = 0
    media_type: str = ""


class _Platform(msgspec.Struct):
    os: str = ""
    architecture: str = ""
    variant: str | None = None


class _ListEntry(msgspec.Struct):
    digest: str
    platform: _Platform | None = None


class ManifestDocument(msgspec.Struct):
    """Manifest, or a list of them: `application/vnd.oci.image.manifest.v1+json`, `….index.v1+json`, Docker's types."""

    config: Blob | None = None
    layers: list[Blob] | None = None
    manifests: list[_ListEntry] | None = None


def decode_manifest(body: bytes) -> ManifestDocument:
    """Read a manifest.

    Raises:
        InvalidInput: It is none.
    """
    try:
        return msgspec.json.decode(body, type=ManifestDocument)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidInput(f"the registry's answer is no manifest: {error}") from error


def choose_manifest(index: ManifestDocument, platform: tuple[str, str, str]) -> str:
    """Return the digest of the manifest for a platform: operating system, architecture, and a variant or none.

    Raises:
        NotFound: The index has none.
    """
    system, architecture, variant = platform
    for entry in index.manifests or []:
        candidate = entry.platform or _Platform()
        is_same = (candidate.os, candidate.architecture) == (system, architecture)
        if is_same and (not variant or candidate.variant in {None, variant}):
            return entry.digest
    name = "/".join(part for part in platform if part)
    raise NotFound(f"no matching manifest for {name} in the manifest list entries")
