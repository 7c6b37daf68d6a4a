"""Layers: packed as blobs, unpacked as directories that overlayfs stacks.

A layer is identified by its diff id, the digest of its uncompressed archive (OCI image spec, config.md), so layers that
images share are unpacked once.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import msgspec
from isal import igzip

from pyd_core.daemon.cancellable import on_thread
from pyd_core.daemon.images.blobs import Blobs, digits
from pyd_core.daemon.images.streams import Hashed, decompressed, file_digest
from pyd_core.daemon.images.unpack import Unpacker
from pyd_core.daemon.store import Store, StoreTable
from pyd_core.errors import InvalidInput
from pyd_core.linux.ext4 import spread
from pyd_core.linux.fsync import sync, sync_file_systems
from pyd_core.linux.tree import remove_tree

log = logging.getLogger(__name__)

_SHORT_DIGITS = 16
"""Length of the digest prefix by which version 0.1 named the directories of layers."""


class StoredLayer(msgspec.Struct, frozen=True, kw_only=True):
    """Unpacked layer."""

    diff_id: str
    blob: str
    """Digest of its packed form."""
    media: str
    """Media type of the packed form."""
    size: int
    """Size of its files in bytes."""
    packed: int
    """Size of its packed form in bytes."""


OCI_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
DOCKER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip"


class LayerStore:
    """Unpacked layers of all images."""

    def __init__(self, root: Path, blobs: Blobs, store: Store) -> None:
        self._root = root
        self._blobs = blobs
        self._shelf = StoreTable(store, "layer", StoredLayer)
        self._pins: Counter[str] = Counter()
        root.mkdir(parents=True, exist_ok=True)
        spread(root)
        self._upgrade()
        known = {self.directory(layer.diff_id).name for layer in self._shelf}
        for found in root.iterdir():
            if found.name not in known:  # left by an interrupted unpacking or removal
                remove_tree(found)

    def __contains__(self, diff_id: str) -> bool:
        return diff_id in self._shelf

    def get(self, diff_id: str) -> StoredLayer:
        """Return a layer that must exist."""
        layer = self._shelf.get(diff_id)
        if layer is None:
            raise InvalidInput(f"layer {diff_id} is missing from the image store", reference="missing-layer")
        return layer

    def directory(self, diff_id: str) -> Path:
        """Return the directory of a layer's files, named by its full digest."""
        return self._root / digits(diff_id)

    def _upgrade(self) -> None:
        """Rename directories that version 0.1 named by a quarter of their digest.

        Where two layers share that quarter, the owner of the files is unknown: both are unpacked again.
        """
        short = Counter(digits(layer.diff_id)[:_SHORT_DIGITS] for layer in self._shelf)
        renamed = False
        for layer in self._shelf:
            old = self._root / digits(layer.diff_id)[:_SHORT_DIGITS]
            if not old.exists() or self.directory(layer.diff_id).exists():
                continue
            if short[old.name] == 1:
                old.rename(self.directory(layer.diff_id))
                renamed = True
                continue
            try:
                self._unpack_again(layer)
            except (InvalidInput, OSError) as error:
                log.warning(
                    "layer %s shares its old name with another and can't be unpacked again: %s", layer.diff_id, error
                )
                self._shelf.delete(layer.diff_id)
        if renamed:
            sync(self._root)

    def _unpack_again(self, layer: StoredLayer) -> None:
        """Unpack a layer from its packed form, verifying its digests."""
        copy = self._blobs.temporary()
        shutil.copyfile(self._blobs.path(layer.blob), copy)
        self._blobs.check(copy, layer.blob, file_digest(copy))
        target = self._root / f"new-{copy.name}"
        target.mkdir(mode=0o755)
        try:
            with copy.open("rb") as raw:
                hashed = Hashed(decompressed(raw))
                Unpacker(target).run(hashed)
                self._blobs.check(copy, layer.diff_id, hashed.digest())
            self._finish(target, layer.diff_id)
        finally:
            copy.unlink(missing_ok=True)
            remove_tree(target, ignore_errors=True)

    def unpack(
        self,
        packed: Path,
        *,
        blob: str = "",
        media: str = "",
        wanted: str = "",
        moved: Callable[[int], None] = lambda _: None,
    ) -> StoredLayer:
        """Unpack an archive; slow, so call it in a worker thread.

        Args:
            packed: The archive, compressed or not; the store takes ownership.
            blob: Its digest, if already verified.
            media: Its media type.
            expected_diff_id: The expected diff id; empty accepts any.
            on_progress: Called from time to time with the number of bytes read from the packed archive.

        Raises:
            InvalidInput: It is damaged, hostile, or has another digest.
        """
        target = self._root / f"new-{packed.name}"
        target.mkdir(mode=0o755)
        repacked: Path | None = None
        try:
            with packed.open("rb") as raw:
                stream = decompressed(raw)
                copy = None
                if stream is raw:  # stored compressed, for save and push
                    repacked = self._blobs.temporary()
                    copy = igzip.IGzipFile(str(repacked), "wb", compresslevel=1, mtime=0)  # type: ignore[no-untyped-call]
                hashed = Hashed(stream, copy=cast("BinaryIO | None", copy), moved=lambda: moved(raw.tell()))
                unpacker = Unpacker(target)
                unpacker.run(hashed)
                diff_id = hashed.digest()
                if copy is not None:
                    copy.close()
            if wanted and wanted != diff_id:
                raise InvalidInput(  # noqa: TRY301 - cleaned up below like any other failure
                    f"layer digest mismatch: expected {wanted}, got {diff_id}", reference="digest-mismatch"
                )
            known = self._shelf.get(diff_id)
            if known is not None:
                remove_tree(target)
                packed.unlink(missing_ok=True)
                return known
            if repacked is not None:
                packed.unlink()
                packed, blob, media = repacked, "", ""
            blob = blob or file_digest(packed)
            layer = StoredLayer(
                diff_id=diff_id,
                blob=blob,
                media=media or _media(packed),
                size=unpacker.size,
                packed=packed.stat().st_size,
            )
            self._blobs.adopt(packed, blob, durable=False)
            self._finish(target, diff_id)
        except BaseException:
            remove_tree(target, ignore_errors=True)
            packed.unlink(missing_ok=True)
            raise
        finally:
            if repacked is not None:
                repacked.unlink(missing_ok=True)
        return layer

    async def take(
        self,
        packed: Path,
        *,
        blob: str = "",
        media: str = "",
        wanted: str = "",
        moved: Callable[[int], None] = lambda _: None,
    ) -> StoredLayer:
        """Unpack an archive in a thread and record the layer; cancellation stops it.

        The arguments and errors are those of `unpack`.
        """

        def work(go_on: Callable[[], None]) -> StoredLayer:
            def told(read: int) -> None:
                go_on()
                moved(read)

            return self.unpack(packed, blob=blob, media=media, wanted=wanted, moved=told)

        layer = await on_thread(work, late=self.keep)
        self.keep(layer)
        return layer

    def _finish(self, target: Path, diff_id: str) -> None:
        """Give a directory its final name after syncing it: a row that survives a power failure has its files."""
        sync_file_systems(self._root, self._blobs.spool)
        try:
            target.rename(self.directory(diff_id))
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                raise
            remove_tree(target)  # the same layer, from another pull or from one whose client disconnected
        sync(self._root)

    def keep(self, layer: StoredLayer) -> None:
        """Record an unpacked layer; call it in the thread that owns the store."""
        self._shelf.put(layer.diff_id, layer)

    @contextmanager
    def pinned(self, diff_ids: Iterable[str]) -> Iterator[None]:
        """Keep layers while an image that needs them is being created."""
        held = list(diff_ids)
        self._pins.update(held)
        try:
            yield
        finally:
            self._pins.subtract(held)

    def forget_unused(self, used: set[str]) -> list[StoredLayer]:
        """Delete the records of layers that no image or container needs, and return them."""
        gone = [layer for layer in self._shelf if layer.diff_id not in used and self._pins[layer.diff_id] <= 0]
        for layer in gone:
            self._shelf.delete(layer.diff_id)
        return gone

    def set_aside(self, gone: Iterable[StoredLayer]) -> list[Path]:
        """Move the files of layers whose records are deleted out of their places, and return them for removal.

        Each is moved atomically, since the same layer may be added again at any moment.
        """
        left: list[Path] = []
        for layer in gone:
            going = self._root / f"gone-{os.urandom(8).hex()}"
            with contextlib.suppress(FileNotFoundError):
                self.directory(layer.diff_id).rename(going)
            left += [self._blobs.set_aside(layer.blob), going]
        return left

    def all(self) -> list[StoredLayer]:
        """Return all layers."""
        return list(self._shelf)


def _media(packed: Path) -> str:
    with packed.open("rb") as file:
        return OCI_ZSTD if file.read(4) == b"\x28\xb5\x2f\xfd" else DOCKER_GZIP
