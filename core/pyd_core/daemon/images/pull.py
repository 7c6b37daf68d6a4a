"""Pulls: manifest, configuration, then the missing layers, several at a time, verified before use."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import httpx
import msgspec

from pyd_core.daemon.images import platforms
from pyd_core.daemon.images.blobs import digits
from pyd_core.daemon.images.config import checked_diff_ids, read_config
from pyd_core.daemon.images.progress import ProgressEmitter
from pyd_core.daemon.images.registry import Registry
from pyd_core.daemon.images.store import ImageStore
from pyd_core.errors import EngineError, InvalidInput, NotFound
from pyd_core.model.reference import Reference
from pyd_core.tasks import TaskOwner

AT_ONCE = 3
"""Layers downloaded at a time, as in Docker Engine."""
TRIES = 4
PAUSE = 0.5
"""Delay before the first retry of a failed download; doubled for each further one."""
LISTS = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")


class _Blob(msgspec.Struct, rename="camel"):
    digest: str
    size: int = 0
    media_type: str = ""


class _Platform(msgspec.Struct):
    os: str = ""
    architecture: str = ""
    variant: str | None = None


class _Listed(msgspec.Struct):
    digest: str
    platform: _Platform | None = None


class _Manifest(msgspec.Struct):
    """Manifest, or a list of them: `application/vnd.oci.image.manifest.v1+json`, `….index.v1+json`, Docker's types."""

    config: _Blob | None = None
    layers: list[_Blob] | None = None
    manifests: list[_Listed] | None = None


class Pull:
    """Pull of one image."""

    def __init__(self, images: ImageStore, registry: Registry, *, platform: str = "") -> None:
        self._images = images
        self._registry = registry
        self._reference = registry.reference
        self._asked = platform
        self._platform = platforms.parse(platform or "linux")
        self._config_digest = ""
        self._blobs: list[_Blob] = []
        self.digest = ""
        """Digest that the name refers to: the list's if it is one."""

    async def resolve(self) -> None:
        """Fetch the manifest for the platform without storing anything.

        Raises:
            NotFound: The registry has no such image, or none for the platform.
        """
        wanted = self._reference.digest or self._reference.tag
        media, body, self.digest = await self._registry.manifest(wanted)
        found = _read(body)
        if media in LISTS or found.manifests is not None:
            _, body, _ = await self._registry.manifest(self._choose(found))
            found = _read(body)
        if found.config is None or found.layers is None:
            raise InvalidInput(f"{self._reference} has a manifest of an old form that isn't supported")
        self._config_digest, self._blobs = f"sha256:{digits(found.config.digest)}", found.layers

    def _choose(self, index: _Manifest) -> str:
        system, arch, variant = self._platform
        for entry in index.manifests or []:
            platform = entry.platform or _Platform()
            same = (platform.os, platform.architecture) == (system, arch)
            if same and (not variant or platform.variant in {None, variant}):
                return entry.digest
        wanted = "/".join(part for part in self._platform if part)
        raise NotFound(f"no matching manifest for {wanted} in the manifest list entries")

    async def run(self, progress: ProgressEmitter) -> str:
        """Download what is missing, store and name the image, and return its id."""
        reference = self._reference
        await progress.tell(f"Pulling from {reference.path}", reference.tag or reference.digest)
        config = await self._config(self._config_digest)
        file = read_config(config)
        if self._asked:  # without a requested platform, the only one is accepted
            platforms.check(str(reference), file, self._asked)
        layers = self._blobs
        diff_ids = checked_diff_ids(file, len(layers), str(reference))
        fresh = self._config_digest not in {each.id for each in self._images.all()}
        with self._images.layers.pinned(diff_ids):
            await self._layers(dict(zip(diff_ids, layers, strict=True)), progress)
            record = self._images.add(config, diff_ids)
        self._images.tag(record, Reference(reference.domain, reference.path, "", self.digest))
        if reference.tag:
            self._images.tag(record, Reference(reference.domain, reference.path, reference.tag))
        await progress.tell(f"Digest: {self.digest}")
        what = "Downloaded newer image for" if fresh else "Image is up to date for"
        await progress.tell(f"Status: {what} {reference}")
        return record.id

    async def _layers(self, layers: dict[str, _Blob], progress: ProgressEmitter) -> None:
        gate = asyncio.Semaphore(AT_ONCE)
        failures: list[Exception] = []
        async with TaskOwner(on_error=failures.append) as owner:
            tasks = [owner.start(self._layer(layer, diff_id, gate, progress)) for diff_id, layer in layers.items()]
            if tasks:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            await asyncio.sleep(0)
        if failures:
            raise failures[0]

    async def _config(self, digest: str) -> bytes:
        if self._images.blobs.has(digest):
            return self._images.blobs.read(digest)
        return await self._registry.config(digest)

    async def _layer(self, layer: _Blob, diff_id: str, gate: asyncio.Semaphore, progress: ProgressEmitter) -> None:
        digest, total = layer.digest, layer.size
        key = digest.removeprefix("sha256:")[:12]
        if diff_id in self._images.layers:
            await progress.tell("Already exists", key, progressDetail={})
            return
        await progress.tell("Pulling fs layer", key, progressDetail={})
        async with gate:
            file = self._images.blobs.temporary()
            try:
                found = await self._fetch(digest, total, key, file, progress)
                self._images.blobs.check(file, digest, found)
                await progress.tell("Download complete", key, progressDetail={})
                await progress.tell("Extracting", key, progressDetail={"current": 0, "total": total})
                media = layer.media_type
                loop = asyncio.get_running_loop()

                def moved(read: int) -> None:
                    loop.call_soon_threadsafe(progress.note, "Extracting", key, read, total)

                await self._images.layers.take(file, blob=digest, media=media, wanted=diff_id, moved=moved)
            finally:
                file.unlink(missing_ok=True)
        await progress.tell("Pull complete", key, progressDetail={})

    async def _fetch(self, digest: str, total: int, key: str, file: Path, progress: ProgressEmitter) -> str:
        """Download a blob, resuming after broken connections, and return the digest of the data.

        Raises:
            EngineError: The registry failed repeatedly.
            InvalidInput: The data is longer than the manifest says.
        """
        running = hashlib.sha256()
        have = 0
        for left in reversed(range(TRIES)):
            headers = {"Range": f"bytes={have}-"} if have else {}
            try:
                async with self._registry.send("GET", f"blobs/{digest}", headers=headers) as answer:
                    if have and answer.status_code != 206:
                        running, have = hashlib.sha256(), 0
                    with file.open("ab" if have else "wb") as out:
                        async for chunk in answer.aiter_raw():
                            have += len(chunk)
                            if have > total:
                                raise InvalidInput(
                                    f"digest mismatch: {digest} is longer than the {total} bytes it should have",
                                    reference="digest-mismatch",
                                )
                            out.write(chunk)
                            running.update(chunk)
                            await progress.moved("Downloading", key, have, total)
            except (EngineError, httpx.HTTPError):
                if not left:
                    raise
                await progress.tell("Retrying", key, progressDetail={})
                await asyncio.sleep(PAUSE * 2 ** (TRIES - 1 - left))
                continue
            break
        return f"sha256:{running.hexdigest()}"


def _read(body: bytes) -> _Manifest:
    try:
        return msgspec.json.decode(body, type=_Manifest)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidInput(f"the registry's answer is no manifest: {error}") from error
