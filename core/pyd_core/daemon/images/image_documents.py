"""The documents of images as they leave the store: manifests, attestations and the index above them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pyd_core.daemon.images import manifests
from pyd_core.daemon.images.attestations import attest, package_url
from pyd_core.daemon.images.built_index import IndexPart
from pyd_core.daemon.images.manifests import Annotations, Document
from pyd_core.daemon.images.store import ImageStore
from pyd_core.model.reference import Reference


@dataclass(frozen=True, kw_only=True)
class ImageDocuments:
    """The documents for a registry or an archive, in the order in which they must be written.

    Attributes:
        layers: Digests of packed layers, which the store has.
        blobs: Configurations and statements.
        manifests: The manifests below the top.
        top: The index, or the only manifest.
        entries: Descriptors of the top, for an archive's `index.json`.
    """

    layers: list[str]
    blobs: list[Document]
    manifests: list[Document]
    top: Document
    entries: list[dict[str, Any]]

    def all(self) -> list[Document]:
        """Return each document once."""
        return list({document.digest: document for document in (*self.blobs, *self.manifests, self.top)}.values())


def documents_of(
    images: ImageStore,
    parts: Sequence[IndexPart],
    *,
    names: Sequence[Reference] = (),
    is_oci: bool = True,
    annotations: Callable[[str], Annotations] = lambda _: Annotations(),
) -> ImageDocuments:
    """Return the documents of images; several, or one with an attestation, get an index.

    Args:
        images: The store.
        parts: The images, which the caller holds.
        names: The names that the attestations are about.
        is_oci: Whether to use OCI's media types; an index with attestations has them anyway.
        annotations: Returns the annotations for a platform; an empty one means the index.
    """
    has_index = len(parts) > 1 or any(part.provenance for part in parts)
    layers: dict[str, None] = {}
    blobs: list[Document] = []
    lower: list[Document] = []
    descriptors: list[dict[str, Any]] = []
    attested: list[dict[str, Any]] = []
    for part in parts:
        config = images.blobs.read(part.image_id)
        stored = [images.layers.get(diff_id) for diff_id in images.find(part.image_id).layers]
        layers |= dict.fromkeys(layer.blob for layer in stored)
        own = annotations(part.platform)
        manifest = manifests.manifest(config, stored, is_oci=is_oci, annotations=own)
        blobs.append(Document("", config))
        lower.append(manifest)
        platform = {"platform": manifests.platform_of(config)} if has_index else {}
        descriptors.append(manifest.descriptor(**platform, **own.fields("manifest-descriptor")))
        if part.provenance:
            text = part.platform or manifests.platform_text_of(config)
            urls = [package_url("docker", name, text) for name in names]
            attestation = attest(manifest, part.provenance, part.predicate_type, urls)
            blobs += attestation.blobs
            lower.append(attestation.manifest)
            attested.append(attestation.descriptor)
    if not has_index:
        return ImageDocuments(layers=list(layers), blobs=blobs, manifests=[], top=lower[0], entries=descriptors)
    common = annotations("")
    top = manifests.index(descriptors + attested, is_oci=is_oci, annotations=common)
    entries = [top.descriptor(**common.fields("index-descriptor"))]
    return ImageDocuments(layers=list(layers), blobs=blobs, manifests=lower, top=top, entries=entries)
