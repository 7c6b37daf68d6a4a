"""Uploads to registries: the blobs that they lack, and manifests (OCI distribution spec)."""

from __future__ import annotations

from pyd_core.daemon.build.exporters.manifests import Document
from pyd_core.daemon.images.progress import ProgressEmitter
from pyd_core.daemon.images.push import upload_blob
from pyd_core.daemon.images.registry import Registry
from pyd_core.daemon.images.store import ImageStore
from pyd_core.errors import EngineError


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


async def put_manifest(registry: Registry, document: Document, version: str) -> None:
    """Put a manifest under a tag or its digest."""
    headers = {"Content-Type": document.media}
    async with registry.send("PUT", f"manifests/{version}", headers=headers, content=document.body, push=True):
        pass
