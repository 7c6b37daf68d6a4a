"""Pushes: the blobs that the registry lacks, then the manifest."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

from pyd_core.daemon.images.progress import ProgressEmitter
from pyd_core.daemon.images.registry import Registry
from pyd_core.daemon.images.save import MANIFEST_MEDIA_TYPE, build_manifest
from pyd_core.daemon.images.store import ImageRecord, ImageStore
from pyd_core.errors import EngineError
from pyd_core.model.reference import Reference

CHUNK_BYTES = 1 << 18


async def push(images: ImageStore, record: ImageRecord, registry: Registry, progress: ProgressEmitter) -> None:
    """Push an image under the registry's reference."""
    reference = registry.reference
    await progress.emit(f"The push refers to repository [{reference.repository}]")
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
    body = build_manifest(images, record)
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    headers = {"Content-Type": MANIFEST_MEDIA_TYPE}
    async with registry.send("PUT", f"manifests/{reference.tag}", headers=headers, content=body, push=True):
        pass
    images.tag(record, Reference(reference.domain, reference.path, "", digest))
    await progress.emit(f"{reference.tag}: digest: {digest} size: {len(body)}")
    await progress.emit("", aux={"Tag": reference.tag, "Digest": digest, "Size": len(body)})


async def upload_blob(images: ImageStore, registry: Registry, digest: str, key: str, progress: ProgressEmitter) -> None:
    """Upload a blob of the store, and emit progress under a key that isn't empty.

    Raises:
        EngineError: The registry failed, or doesn't say where.
    """
    total = images.blobs.size(digest)
    file = images.blobs.path(digest)
    async with registry.send("POST", "blobs/uploads/", content=b"", push=True) as response:
        location = response.headers.get("location", "")
        if not location:
            raise EngineError("the registry returned no upload location")
        url = str(response.url.join(location).copy_merge_params({"digest": digest}))

    async def content() -> AsyncIterator[bytes]:
        sent = 0
        with file.open("rb") as source:
            while data := source.read(CHUNK_BYTES):
                yield data
                sent += len(data)
                if key:
                    await progress.emit_progress("Pushing", key, sent, total)

    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(total)}
    async with registry.send("PUT", url, headers=headers, content=content, push=True):
        pass
