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
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import msgspec
from isal import igzip

from pyd_core.daemon.cancellable import on_thread
from pyd_core.daemon.images.blobs import BlobStore, hex_digest
from pyd_core.daemon.images.streams import HashingReader, decompress, file_digest
from pyd_core.daemon.store import Store, StoreTable
from pyd_core.errors import InvalidInput
from pyd_core.linux.boot import boot_id
from pyd_core.linux.ext4 import spread
from pyd_core.linux.fsync import sync, sync_file_systems
from pyd_core.linux.tree import remove_tree
from pyd_core.tar.unpack import Unpacker

log = logging.getLogger(__name__)

_OLD_NAME_LENGTH = 16
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
    boot: str = ""
    """The boot of the machine in which it was written; empty once its files are known to be on the disk."""


@dataclass(frozen=True)
class PackedDirectory:
    """A directory with a layer's files, and their packed form in a temporary file."""

    directory: Path
    file: Path
    layer: StoredLayer


OCI_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
DOCKER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip"


class LayerStore:
    """Unpacked layers of all images.

    Attributes:
        rechecked: Layers of an earlier boot that hadn't been synced: they were unpacked again, or are missing.
    """

    def __init__(self, root: Path, blobs: BlobStore, store: Store) -> None:
        self._root = root
        self._blobs = blobs
        self._table = StoreTable(store, "layer", StoredLayer)
        self._pins: Counter[str] = Counter()
        root.mkdir(parents=True, exist_ok=True)
        spread(root)
        self._boot = boot_id()
        self._upgrade()
        self.rechecked = self._recheck()
        known = {self.directory(layer.diff_id).name for layer in self._table}
        for directory in root.iterdir():
            if directory.name not in known:  # left by an interrupted unpacking or removal
                remove_tree(directory)

    def __contains__(self, diff_id: str) -> bool:
        return diff_id in self._table

    def get(self, diff_id: str) -> StoredLayer:
        """Return a layer that must exist."""
        layer = self._table.get(diff_id)
        if layer is None:
            raise InvalidInput(f"layer {diff_id} is missing from the image store", reference="missing-layer")
        return layer

    def directory(self, diff_id: str) -> Path:
        """Return the directory of a layer's files, named by its full digest."""
        return self._root / hex_digest(diff_id)

    def _upgrade(self) -> None:
        """Rename directories that version 0.1 named by a quarter of their digest.

        Where two layers share that quarter, the owner of the files is unknown: both are unpacked again.
        """
        by_prefix = Counter(hex_digest(layer.diff_id)[:_OLD_NAME_LENGTH] for layer in self._table)
        has_renamed = False
        for layer in self._table:
            old_directory = self._root / hex_digest(layer.diff_id)[:_OLD_NAME_LENGTH]
            if not old_directory.exists() or self.directory(layer.diff_id).exists():
                continue
            if by_prefix[old_directory.name] == 1:
                old_directory.rename(self.directory(layer.diff_id))
                has_renamed = True
                continue
            try:
                self._unpack_again(layer)
            except (InvalidInput, OSError) as error:
                log.warning(
                    "layer %s shares its old name with another and can't be unpacked again: %s", layer.diff_id, error
                )
                self._table.delete(layer.diff_id)
        if has_renamed:
            sync(self._root)

    def _recheck(self) -> frozenset[str]:
        """Check the layers that a power failure may have damaged: unpack those again whose packed form is complete.

        The others are removed from the store.
        """
        doubtful = [layer for layer in self._table if layer.boot not in {"", self._boot}]
        for layer in doubtful:
            remove_tree(self.directory(layer.diff_id), ignore_errors=True)
            try:
                self._unpack_again(layer)
            except (InvalidInput, OSError) as error:
                log.warning("layer %s was lost, the machine stopped before it was written: %s", layer.diff_id, error)
                self._table.delete(layer.diff_id)
            else:
                self.record(msgspec.structs.replace(layer, boot=""))
        return frozenset(layer.diff_id for layer in doubtful)

    def _unpack_again(self, layer: StoredLayer) -> None:
        """Unpack a layer from its packed form, verifying its digests."""
        copy = self._blobs.create_temporary()
        shutil.copyfile(self._blobs.path(layer.blob), copy)
        self._blobs.verify(copy, layer.blob, file_digest(copy))
        target = self._root / f"new-{copy.name}"
        target.mkdir(mode=0o755)
        try:
            with copy.open("rb") as raw:
                hashed = HashingReader(decompress(raw))
                Unpacker(target).run(hashed)
                self._blobs.verify(copy, layer.diff_id, hashed.digest())
            self._move_into_place(target, layer.diff_id)
        finally:
            copy.unlink(missing_ok=True)
            remove_tree(target, ignore_errors=True)

    def unpack(
        self,
        packed: Path,
        *,
        blob: str = "",
        media: str = "",
        expected_diff_id: str = "",
        on_progress: Callable[[int], None] = lambda _: None,
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
                stream = decompress(raw)
                copy = None
                if stream is raw:  # stored compressed, for save and push
                    repacked = self._blobs.create_temporary()
                    copy = igzip.IGzipFile(str(repacked), "wb", compresslevel=1, mtime=0)  # type: ignore[no-untyped-call]
                hashed = HashingReader(
                    stream, copy=cast("BinaryIO | None", copy), on_progress=lambda: on_progress(raw.tell())
                )
                unpacker = Unpacker(target)
                unpacker.run(hashed)
                diff_id = hashed.digest()
                if copy is not None:
                    copy.close()
            if expected_diff_id and expected_diff_id != diff_id:
                raise InvalidInput(  # noqa: TRY301 - cleaned up below like any other failure
                    f"layer digest mismatch: expected {expected_diff_id}, got {diff_id}", reference="digest-mismatch"
                )
            known = self._table.get(diff_id)
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
                media=media or _media_type(packed),
                size=unpacker.size,
                packed=packed.stat().st_size,
            )
            self._blobs.adopt(packed, blob, durable=False)
            self._move_into_place(target, diff_id)
        except BaseException:
            remove_tree(target, ignore_errors=True)
            packed.unlink(missing_ok=True)
            raise
        finally:
            if repacked is not None:
                repacked.unlink(missing_ok=True)
        return layer

    def adopt(self, packed: Sequence[PackedDirectory]) -> list[StoredLayer]:
        """Take over directories and their packed forms as layers; call it in the thread that owns the store.

        A directory whose layer exists already stays where it is. The others are marked as not synced: an engine that
        starts after the next boot checks them, unless `mark_synced` was called.
        """
        layers: list[StoredLayer] = []
        for item in packed:
            known = self._table.get(item.layer.diff_id)
            if known is not None:
                item.file.unlink(missing_ok=True)
                layers.append(known)
                continue
            self._blobs.adopt(item.file, item.layer.blob, durable=False)
            with contextlib.suppress(OSError):  # left by an interrupted removal: the caller keeps its own
                item.directory.rename(self.directory(item.layer.diff_id))
            layer = msgspec.structs.replace(item.layer, boot=self._boot)
            self.record(layer)
            layers.append(layer)
        return layers

    def is_unsynced(self, diff_id: str) -> bool:
        """Return whether a layer's files may not be on the disk yet."""
        layer = self._table.get(diff_id)
        return layer is not None and layer.boot != ""

    def unsynced(self) -> list[str]:
        """Return the layers whose files may not be on the disk yet."""
        return [layer.diff_id for layer in self._table if layer.boot]

    def mark_synced(self, diff_ids: Iterable[str]) -> None:
        """Record that the files of layers are on the disk; call it in the thread that owns the store."""
        for diff_id in diff_ids:
            layer = self._table.get(diff_id)
            if layer is not None and layer.boot:
                self.record(msgspec.structs.replace(layer, boot=""))

    def sync(self) -> None:
        """Write directories and packed forms to the disk; slow, so call it in a worker thread."""
        sync_file_systems(self._root, self._blobs.spool)

    async def import_async(
        self,
        packed: Path,
        *,
        blob: str = "",
        media: str = "",
        expected_diff_id: str = "",
        on_progress: Callable[[int], None] = lambda _: None,
    ) -> StoredLayer:
        """Unpack an archive in a thread and record the layer; cancellation stops it.

        The arguments and errors are those of `unpack`.
        """

        def work(check_cancelled: Callable[[], None]) -> StoredLayer:
            def report(read: int) -> None:
                check_cancelled()
                on_progress(read)

            return self.unpack(packed, blob=blob, media=media, expected_diff_id=expected_diff_id, on_progress=report)

        layer = await on_thread(work, late=self.record)
        self.record(layer)
        return layer

    def _move_into_place(self, target: Path, diff_id: str) -> None:
        """Give a directory its final name after syncing it: a row that survives a power failure has its files."""
        sync_file_systems(self._root, self._blobs.spool)
        try:
            target.rename(self.directory(diff_id))
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                raise
            remove_tree(target)  # the same layer, from another pull or from one whose client disconnected
        sync(self._root)

    def record(self, layer: StoredLayer) -> None:
        """Record an unpacked layer; call it in the thread that owns the store."""
        self._table.put(layer.diff_id, layer)

    @contextmanager
    def pin(self, diff_ids: Iterable[str]) -> Iterator[None]:
        """Keep layers while an image that needs them is being created."""
        pinned_ids = list(diff_ids)
        self._pins.update(pinned_ids)
        try:
            yield
        finally:
            self._pins.subtract(pinned_ids)

    def delete_unused(self, used: set[str]) -> list[StoredLayer]:
        """Delete the records of layers that no image or container needs, and return them."""
        unused = [layer for layer in self._table if layer.diff_id not in used and self._pins[layer.diff_id] <= 0]
        for layer in unused:
            self._table.delete(layer.diff_id)
        return unused

    def set_aside(self, layers: Iterable[StoredLayer]) -> list[Path]:
        """Move the files of layers whose records are deleted out of their places, and return them for removal.

        Each is moved atomically, since the same layer may be added again at any moment.
        """
        removed: list[Path] = []
        for layer in layers:
            directory = self._root / f"gone-{os.urandom(8).hex()}"
            with contextlib.suppress(FileNotFoundError):
                self.directory(layer.diff_id).rename(directory)
            removed += [self._blobs.set_aside(layer.blob), directory]
        return removed

    def all(self) -> list[StoredLayer]:
        """Return all layers."""
        return list(self._table)


def _media_type(packed: Path) -> str:
    with packed.open("rb") as file:
        return OCI_ZSTD if file.read(4) == b"\x28\xb5\x2f\xfd" else DOCKER_GZIP
