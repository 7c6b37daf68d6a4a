"""Uploads to registries: the blobs that they lack, and manifests (OCI distribution spec)."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

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

    async def report(sent: int, total: int) -> None:
        if key:
            await progress.emit_progress("Pushing", key, sent, total)

    await upload_file(registry, digest, images.blobs.path(digest), report)


async def upload_file(
    registry: Registry, digest: str, file: Path, on_sent: Callable[[int, int], Awaitable[None]]
) -> None:
    """Upload a file as a blob.

    Args:
        registry: The repository.
        digest: The file's digest.
        file: The file.
        on_sent: Called with the number of sent bytes and their total.

    Raises:
        EngineError: The registry failed, or doesn't say where.
    """
    total = os.path.getsize(file)  # noqa: PTH202, ASYNC240 - one call on a local file
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
                await on_sent(sent, total)

    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(total)}
    async with registry.send("PUT", url, headers=headers, content=content, push=True):
        pass
