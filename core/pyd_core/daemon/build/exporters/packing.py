"""Packing of layers: a snapshot's directory becomes an archive and a layer of the image store."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from isal import igzip

from pyd_core.daemon.build.solver.records import LayerStack
from pyd_core.daemon.build.solver.snapshots import SnapshotStore
from pyd_core.daemon.cancellable import on_thread
from pyd_core.daemon.images.blobs import BlobStore
from pyd_core.daemon.images.layer_sync import LayerSync
from pyd_core.daemon.images.layers import DOCKER_GZIP, LayerStore, PackedDirectory, StoredLayer
from pyd_core.daemon.images.tar_writer import TarWriter
from pyd_core.daemon.images.threaded_writer import ThreadedWriter

EMPTY_ARCHIVE = bytes(1024)
"""The archive of a layer without files, as BuildKit has it, so that both give it the same digest."""
EMPTY_ARCHIVE_DIGEST = f"sha256:{hashlib.sha256(EMPTY_ARCHIVE).hexdigest()}"
"""Diff id of a layer without files."""


class _HashingFile:
    """Destination that hashes what it passes on."""

    def __init__(self, out: BinaryIO, check: Callable[[], None]) -> None:
        self._out = out
        self._check = check
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._check()
        self._hash.update(data)
        return self._out.write(data)

    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


def pack(
    directory: Path,
    file: Path,
    size: int,
    *,
    max_mtime_s: int | None = None,
    check: Callable[[], None] = lambda: None,
) -> PackedDirectory:
    """Pack a directory into a file; slow, so call it on a thread.

    Args:
        directory: The layer's files, in the form of overlayfs.
        file: The file to write.
        size: Bytes of its files.
        max_mtime_s: The latest modification time, in seconds since 1970; None keeps all times.
        check: Called from time to time; raises to stop.
    """
    with file.open("wb") as raw:
        packed = _HashingFile(raw, check)
        zipped = igzip.IGzipFile(fileobj=cast("BinaryIO", packed), mode="wb", compresslevel=1, mtime=0)  # type: ignore[no-untyped-call]
        with zipped, ThreadedWriter(cast("BinaryIO", zipped)) as compressor:
            plain = _HashingFile(cast("BinaryIO", compressor), check)
            if any(directory.iterdir()):
                writer = TarWriter(cast("BinaryIO", plain), whiteouts=True, max_mtime_s=max_mtime_s)
                writer.add_contents(str(directory))
                writer.close()
            else:
                plain.write(EMPTY_ARCHIVE)
        written = raw.tell()
    layer = StoredLayer(diff_id=plain.digest(), blob=packed.digest(), media=DOCKER_GZIP, size=size, packed=written)
    return PackedDirectory(directory, file, layer)


class LayerPacker:
    """Packs the layers of results, each once."""

    def __init__(self, snapshots: SnapshotStore, layers: LayerStore, blobs: BlobStore, sync: LayerSync) -> None:
        self._snapshots = snapshots
        self._sync = sync
        self._layers = layers
        self._blobs = blobs
        self._lock = asyncio.Lock()

    async def diff_ids(self, stack: LayerStack) -> list[str]:
        """Return the diff ids of layers, which are all in the image store afterwards.

        The caller holds the layers.
        """
        async with self._lock:
            missing = [layer for layer in dict.fromkeys(stack) if not self._snapshots.diff_id(layer)]
            if missing:
                await self._pack(missing)
        return [self._snapshots.diff_id(layer) for layer in stack]

    async def _pack(self, missing: list[str]) -> None:
        files = [self._blobs.create_temporary() for _ in missing]
        try:
            packed = await asyncio.gather(
                *(
                    on_thread(
                        lambda check, layer=layer, file=file: pack(  # type: ignore[misc]
                            self._snapshots.directory(layer), file, self._snapshots.size(layer), check=check
                        )
                    )
                    for layer, file in zip(missing, files, strict=True)
                )
            )
            adopted = self._layers.adopt(packed)
            for layer, stored in zip(missing, adopted, strict=True):
                self._snapshots.packed(layer, stored)
            self._sync.request(stored.diff_id for stored in adopted)
        finally:
            for file in files:
                file.unlink(missing_ok=True)

    async def rewritten(self, stack: LayerStack, max_mtime_s: int) -> list[str]:
        """Return the diff ids of layers whose files are at most so new; those of base images stay as they are."""
        return [layer if layer.startswith("sha256:") else await self._rewrite(layer, max_mtime_s) for layer in stack]

    async def _rewrite(self, layer: str, max_mtime_s: int) -> str:
        file = self._blobs.create_temporary()
        try:
            await on_thread(
                lambda check: pack(
                    self._snapshots.directory(layer),
                    file,
                    self._snapshots.size(layer),
                    max_mtime_s=max_mtime_s,
                    check=check,
                )
            )
            stored = await self._layers.import_async(file)
        finally:
            file.unlink(missing_ok=True)
        return stored.diff_id
