"""Pulls: manifest, configuration, then the missing layers, several at a time, verified before use."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import httpx

from pyd_core.daemon.images import platforms
from pyd_core.daemon.images.blobs import hex_digest
from pyd_core.daemon.images.config import check_diff_ids, read_config
from pyd_core.daemon.images.manifest_document import Blob, choose_manifest, decode_manifest
from pyd_core.daemon.images.progress import ProgressEmitter
from pyd_core.daemon.images.registry import Registry
from pyd_core.daemon.images.store import ImageStore
from pyd_core.errors import EngineError, InvalidInput
from pyd_core.model.reference import Reference
from pyd_core.tasks import TaskOwner

MAX_CONCURRENT_LAYERS = 3
"""Layers downloaded at a time, as in Docker Engine."""
MAX_ATTEMPTS = 4
RETRY_DELAY_S = 0.5
"""Delay before the first retry of a failed download; doubled for each further one."""
LIST_MEDIA_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)


class Pull:
    """Pull of one image."""

    def __init__(self, images: ImageStore, registry: Registry, *, platform: str = "") -> None:
        self._images = images
        self._registry = registry
        self._reference = registry.reference
        self._requested_platform = platform
        self._platform = platforms.parse_platform(platform or "linux")
        self._config_digest = ""
        self._blobs: list[Blob] = []
        self.digest = ""
        """Digest that the name refers to: the list's if it is one."""

    async def resolve(self) -> None:
        """Fetch the manifest for the platform without storing anything.

        Raises:
            NotFound: The registry has no such image, or none for the platform.
            InvalidInput: The manifest has an old form that isn't supported.
        """
        version = self._reference.digest or self._reference.tag
        media, body, self.digest = await self._registry.manifest(version)
        manifest = decode_manifest(body)
        if media in LIST_MEDIA_TYPES or manifest.manifests is not None:
            _, body, _ = await self._registry.manifest(choose_manifest(manifest, self._platform))
            manifest = decode_manifest(body)
        if manifest.config is None or manifest.layers is None:
            raise InvalidInput(f"{self._reference} has a manifest of an old form that isn't supported")
        self._config_digest, self._blobs = f"sha256:{hex_digest(manifest.config.digest)}", manifest.layers

    async def config(self) -> bytes:
        """Return the configuration of the resolved image without downloading its layers.

        Raises:
            InvalidInput: It is for another platform, or malformed.
        """
        body = await self._fetch_config(self._config_digest)
        if self._requested_platform:
            platforms.check_platform(str(self._reference), read_config(body), self._requested_platform)
        return body

    async def run(self, progress: ProgressEmitter) -> str:
        """Download what is missing, store and name the image, and return its id."""
        reference = self._reference
        await progress.emit(f"Pulling from {reference.path}", reference.tag or reference.digest)
        config = await self._fetch_config(self._config_digest)
        file = read_config(config)
        if self._requested_platform:  # without a requested platform, the only one is accepted
            platforms.check_platform(str(reference), file, self._requested_platform)
        layers = self._blobs
        diff_ids = check_diff_ids(file, len(layers), str(reference))
        is_new = self._config_digest not in {image.id for image in self._images.all()}
        with self._images.layers.pin(diff_ids):
            await self._pull_layers(dict(zip(diff_ids, layers, strict=True)), progress)
            record = self._images.add(config, diff_ids)
        self._images.tag(record, Reference(reference.domain, reference.path, "", self.digest))
        if reference.tag:
            self._images.tag(record, Reference(reference.domain, reference.path, reference.tag))
        await progress.emit(f"Digest: {self.digest}")
        outcome = "Downloaded newer image for" if is_new else "Image is up to date for"
        await progress.emit(f"Status: {outcome} {reference}")
        return record.id

    async def _pull_layers(self, layers: dict[str, Blob], progress: ProgressEmitter) -> None:
        semaphore = asyncio.Semaphore(MAX_CONCURRENT_LAYERS)
        failures: list[Exception] = []
        async with TaskOwner(on_error=failures.append) as owner:
            tasks = [
                owner.start(self._pull_layer(layer, diff_id, semaphore, progress)) for diff_id, layer in layers.items()
            ]
            if tasks:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            await asyncio.sleep(0)
        if failures:
            raise failures[0]

    async def _fetch_config(self, digest: str) -> bytes:
        if self._images.blobs.has(digest):
            return self._images.blobs.read(digest)
        return await self._registry.config(digest)

    async def _pull_layer(
        self, layer: Blob, diff_id: str, semaphore: asyncio.Semaphore, progress: ProgressEmitter
    ) -> None:
        digest, total = layer.digest, layer.size
        key = digest.removeprefix("sha256:")[:12]
        if diff_id in self._images.layers:
            await progress.emit("Already exists", key, progressDetail={})
            return
        await progress.emit("Pulling fs layer", key, progressDetail={})
        async with semaphore:
            file = self._images.blobs.create_temporary()
            try:
                actual = await self._fetch_blob(digest, total, key, file, progress)
                self._images.blobs.verify(file, digest, actual)
                await progress.emit("Download complete", key, progressDetail={})
                await progress.emit("Extracting", key, progressDetail={"current": 0, "total": total})
                media = layer.media_type
                loop = asyncio.get_running_loop()

                def on_progress(read: int) -> None:
                    loop.call_soon_threadsafe(progress.emit_progress_nowait, "Extracting", key, read, total)

                await self._images.layers.import_async(
                    file, blob=digest, media=media, expected_diff_id=diff_id, on_progress=on_progress
                )
            finally:
                file.unlink(missing_ok=True)
        await progress.emit("Pull complete", key, progressDetail={})

    async def _fetch_blob(self, digest: str, total: int, key: str, file: Path, progress: ProgressEmitter) -> str:
        """Download a blob, resuming after broken connections, and return the digest of the data.

        Raises:
            EngineError: The registry failed repeatedly.
            InvalidInput: The data is longer than the manifest says.
        """
        hasher = hashlib.sha256()
        received = 0
        for remaining in reversed(range(MAX_ATTEMPTS)):
            headers = {"Range": f"bytes={received}-"} if received else {}
            try:
                async with self._registry.send("GET", f"blobs/{digest}", headers=headers) as response:
                    if received and response.status_code != 206:
                        hasher, received = hashlib.sha256(), 0
                    with file.open("ab" if received else "wb") as out:
                        async for chunk in response.aiter_raw():
                            received += len(chunk)
                            if received > total:
                                raise InvalidInput(
                                    f"digest mismatch: {digest} is longer than the {total} bytes it should have",
                                    reference="digest-mismatch",
                                )
                            out.write(chunk)
                            hasher.update(chunk)
                            await progress.emit_progress("Downloading", key, received, total)
            except (EngineError, httpx.HTTPError):
                if not remaining:
                    raise
                await progress.emit("Retrying", key, progressDetail={})
                await asyncio.sleep(RETRY_DELAY_S * 2 ** (MAX_ATTEMPTS - 1 - remaining))
                continue
            break
        return f"sha256:{hasher.hexdigest()}"
