"""Caches that a build looks in besides the local one: from registries, images, and clients' directories."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from pyd_core.buildkit.proto import control_pb2
from pyd_core.daemon.build.exporters.steps import ExportSteps
from pyd_core.daemon.build.interfaces import BuildProgress, BuildSession
from pyd_core.daemon.build.solver.cache_config import (
    MEDIA_TYPE,
    CacheConfig,
    CacheLayer,
    ExportedRecord,
    inline_cache,
    read_cache,
)
from pyd_core.daemon.build.solver.sources.image import first_host, login_for
from pyd_core.daemon.images.registry import Registry
from pyd_core.daemon.images.registry_config import RegistrySettings
from pyd_core.daemon.images.store import ImageStore
from pyd_core.errors import InvalidInput, PydError, Unsupported
from pyd_core.model.reference import Reference, parse

if TYPE_CHECKING:
    from pyd_core.daemon.build.session.content_store import ContentStore

MAX_LAYER_BYTES = 64 << 30


class ImportedCache(ABC):
    """A cache from elsewhere."""

    def __init__(self, config: CacheConfig) -> None:
        self._config = config
        self._records = {record.digest: record for record in config.records}

    def find(self, key: str) -> ExportedRecord | None:
        """Return the result of a key."""
        return self._records.get(key)

    def stacks(self, record: ExportedRecord) -> list[list[CacheLayer]]:
        """Return the layers of each output of a result."""
        return [[self._config.layers[number] for number in output] for output in record.outputs]

    async def fetch(self, images: ImageStore, layer: CacheLayer) -> None:
        """Bring a layer into the image store, verified.

        Raises:
            InvalidInput: It has another digest, or is longer than the cache says.
        """
        if layer.diff_id in images.layers:
            return
        file = images.blobs.create_temporary()
        try:
            hasher = hashlib.sha256()
            with file.open("wb") as out:
                async with self.chunks(layer.blob) as chunks:
                    async for chunk in chunks:
                        hasher.update(chunk)
                        out.write(chunk)
                        if out.tell() > min(layer.size, MAX_LAYER_BYTES):
                            raise InvalidInput(f"digest mismatch: {layer.blob} is longer than it should be")
            images.blobs.verify(file, layer.blob, f"sha256:{hasher.hexdigest()}")
            await images.layers.import_async(file, blob=layer.blob, media=layer.media, expected_diff_id=layer.diff_id)
        finally:
            file.unlink(missing_ok=True)

    @abstractmethod
    @asynccontextmanager
    async def chunks(self, digest: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a blob."""
        yield  # type: ignore[misc]


class RegistryCache(ImportedCache):
    """A cache in a registry."""

    def __init__(
        self, config: CacheConfig, reference: Reference, session: BuildSession | None, registries: RegistrySettings
    ) -> None:
        super().__init__(config)
        self._reference = reference
        self._session = session
        self._registries = registries

    @asynccontextmanager
    async def chunks(self, digest: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a blob."""
        login = await login_for(self._session, self._reference)
        async with (
            Registry(self._reference, login, self._registries, pull=True) as registry,
            registry.send("GET", f"blobs/{digest}") as response,
        ):
            yield response.aiter_raw()


class StoreCache(ImportedCache):
    """A cache in a client's directory."""

    def __init__(self, config: CacheConfig, store: ContentStore) -> None:
        super().__init__(config)
        self._store = store

    @asynccontextmanager
    async def chunks(self, digest: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a blob."""
        yield self._store.read(digest)


async def open_caches(
    entries: tuple[control_pb2.CacheOptionsEntry, ...],
    *,
    session: BuildSession | None,
    progress: BuildProgress,
    registries: RegistrySettings,
) -> list[ImportedCache]:
    """Open caches; one that can't be read is reported and left out, as in BuildKit."""
    caches: list[ImportedCache] = []
    for entry in entries:
        attrs = dict(entry.Attrs)
        shown = attrs.get("ref") or attrs.get("src") or entry.Type
        steps = ExportSteps(progress, f"importing cache manifest from {shown[:200]}")
        try:
            with steps.running():
                cache = await _open(entry.Type, attrs, session, registries)
        except PydError:
            continue
        if cache is not None:
            caches.append(cache)
    return caches


async def _open(
    kind: str, attrs: Mapping[str, str], session: BuildSession | None, registries: RegistrySettings
) -> ImportedCache | None:
    match kind:
        case "registry":
            reference = parse(attrs.get("ref", ""))
            login = await login_for(session, reference)
            async with Registry(reference, login, registries, pull=True) as registry:
                config = await first_host(registry, lambda: _read_registry(registry, reference))
            return RegistryCache(config, reference, session, registries) if config is not None else None
        case "local":
            if session is None:
                raise InvalidInput("this build has no session with a cache")
            store = session.content_store(f"local:{attrs.get('src', '')}")
            body = await store.document(attrs.get("digest", ""))
            manifest = _object(body)
            return StoreCache(read_cache(await store.document(_config_digest(manifest))), store)
        case _:
            raise Unsupported(f"caches of type {kind[:60]!r} aren't served", reference="unknown-cache")


async def _read_registry(registry: Registry, reference: Reference) -> CacheConfig | None:
    _, body, _ = await registry.manifest(reference.digest or reference.tag)
    manifest = _object(body)
    if isinstance(manifest.get("manifests"), list):
        for entry in manifest["manifests"]:
            if isinstance(entry, dict) and entry.get("mediaType") == MEDIA_TYPE:
                return read_cache(await registry.config(str(entry.get("digest", ""))))
        images = [entry for entry in manifest["manifests"] if isinstance(entry, dict)]
        if not images:
            return None
        _, body, _ = await registry.manifest(str(images[0].get("digest", "")))
        manifest = _object(body)
    digest = _config_digest(manifest)
    config = await registry.config(digest)
    if manifest["config"].get("mediaType") == MEDIA_TYPE:
        return read_cache(config)
    return inline_cache(config)


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise InvalidInput("the manifest of the cache is malformed", reference="bad-cache")
    return document


def _config_digest(manifest: Mapping[str, Any]) -> str:
    config = manifest.get("config")
    if not isinstance(config, dict) or not isinstance(config.get("digest"), str):
        raise InvalidInput("the manifest of the cache has no configuration", reference="bad-cache")
    digest: str = config["digest"]
    return digest
