"""Uploads to registries: the blobs that they lack, and manifests (OCI distribution spec)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pyd_core.daemon.images.manifests import Document
from pyd_core.daemon.images.progress import ProgressEmitter
from pyd_core.daemon.images.registry import Registry
from pyd_core.daemon.images.store import ImageStore
from pyd_core.errors import EngineError

CHUNK_BYTES = 1 << 18


async def upload_stored(images: ImageStore, registry: Registry, digest: str) -> None:
    """Upload a blob of the store, unless the registry has it."""
    if not await registry.has_blob(digest):
        await upload_blob(images, registry, digest, "", ProgressEmitter())


async def upload_document(registry: Registry, document: Document) -> None:
    """Upload a document as a blob, unless the registry has it.

    Raises:
        EngineError: The registry doesn't say where.
    """
    if await registry.has_blob(document.digest):
        return
    async with registry.send("POST", "blobs/uploads/", content=b"", push=True) as response:
        location = response.headers.get("location", "")
        if not location:
            raise EngineError("the registry returned no upload location")
        url = str(response.url.join(location).copy_merge_params({"digest": document.digest}))
    headers = {"Content-Type": "application/octet-stream"}
    async with registry.send("PUT", url, headers=headers, content=document.body, push=True):
        pass


async def put_manifest(registry: Registry, media: str, body: bytes, version: str) -> None:
    """Put a manifest under a tag or its digest."""
    headers = {"Content-Type": media}
    async with registry.send("PUT", f"manifests/{version}", headers=headers, content=body, push=True):
        pass


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
