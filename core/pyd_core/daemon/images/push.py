"""Pushes: the blobs that the registry lacks, then the manifests."""

from __future__ import annotations

import hashlib

from pyd_core.daemon.images.built_index import BuiltIndex
from pyd_core.daemon.images.image_documents import documents_of
from pyd_core.daemon.images.manifests import Annotations
from pyd_core.daemon.images.progress import ProgressEmitter
from pyd_core.daemon.images.registry import Registry
from pyd_core.daemon.images.save import MANIFEST_MEDIA_TYPE, build_manifest
from pyd_core.daemon.images.store import ImageRecord, ImageStore
from pyd_core.daemon.images.upload import put_manifest, upload_blob, upload_document
from pyd_core.model.reference import Reference


async def push(images: ImageStore, record: ImageRecord, registry: Registry, progress: ProgressEmitter) -> str:
    """Push an image under the registry's reference, with the index of its build, and return the digest.

    A reference without a tag gets the manifest by its digest only.
    """
    reference = registry.reference
    await progress.emit(f"The push refers to repository [{reference.repository}]")
    index = images.indexes.get(record.id)
    if index is not None:
        media, body = await _push_below(images, index, registry, progress)
    else:
        await _push_layers(images, record, registry, progress)
        media, body = MANIFEST_MEDIA_TYPE, build_manifest(images, record)
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    await put_manifest(registry, media, body, reference.tag or digest)
    images.tag(record, Reference(reference.domain, reference.path, "", digest))
    await progress.emit(f"{reference.tag or 'digest'}: digest: {digest} size: {len(body)}")
    await progress.emit("", aux={"Tag": reference.tag, "Digest": digest, "Size": len(body)})
    return digest


async def _push_below(
    images: ImageStore, index: BuiltIndex, registry: Registry, progress: ProgressEmitter
) -> tuple[str, bytes]:
    """Push everything below an index, and return its media type and content."""
    for part in index.parts:
        await _push_layers(images, images.find(part.image_id), registry, progress)
    documents = documents_of(
        images,
        index.parts,
        names=[registry.reference],
        annotations=lambda platform: Annotations.parse(index.annotations, platform),
    )
    for blob in documents.blobs:
        await upload_document(registry, blob)
    for manifest in documents.manifests:
        await put_manifest(registry, manifest.media, manifest.body, manifest.digest)
    return documents.top.media, documents.top.body


async def _push_layers(images: ImageStore, record: ImageRecord, registry: Registry, progress: ProgressEmitter) -> None:
    """Push an image's layers and its configuration."""
    for diff_id in record.layers:
        layer = images.layers.get(diff_id)
        key = diff_id.removeprefix("sha256:")[:12]
        await progress.emit("Preparing", key, progressDetail={})
        if await registry.has_blob(layer.blob):
            await progress.emit("Layer already exists", key, progressDetail={})
            continue
        await upload_blob(images, registry, layer.blob, key, progress)
        await progress.emit("Pushed", key, progressDetail={})
    if not await registry.has_blob(record.id):
        await upload_blob(images, registry, record.id, "", progress)
