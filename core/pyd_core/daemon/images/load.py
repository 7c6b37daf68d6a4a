"""Images from archives: `docker import` (a plain root file system) and `docker load` (archives of `docker save`)."""

from __future__ import annotations

import asyncio
import hashlib
import json
import platform
import posixpath
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import msgspec

from pyd_core.daemon.cancellable import on_thread
from pyd_core.daemon.images.blobs import hex_digest
from pyd_core.daemon.images.changes import apply_commit_changes
from pyd_core.daemon.images.config import check_diff_ids, read_config
from pyd_core.daemon.images.store import ImageRecord, ImageStore
from pyd_core.errors import InvalidInput
from pyd_core.model.base import format_time
from pyd_core.model.container_config import ContainerConfig
from pyd_core.model.reference import Reference, parse
from pyd_core.tar.entry import TarEntry, contents
from pyd_core.tar.reader import TarReader

T = TypeVar("T")

ARCHITECTURES = {
    "x86_64": "amd64",
    "x86-64": "amd64",
    "aarch64": "arm64",
    "armv7l": "arm",
    "armhf": "arm",
    "i686": "386",
    "i386": "386",
    "riscv64": "riscv64",
}


def architecture() -> str:
    """Return this host's architecture by its name in images."""
    machine = platform.machine()
    return ARCHITECTURES.get(machine, machine)


async def spool(images: ImageStore, chunks: AsyncIterator[bytes]) -> Path:
    """Write a stream to a temporary file of the store."""
    file = images.blobs.create_temporary()
    try:
        with file.open("wb") as out:
            async with aclosing(chunks) as stream:  # type: ignore[type-var]
                async for chunk in stream:
                    out.write(chunk)
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    return file


def encode_config(
    config: ContainerConfig, layers: Sequence[str], history: list[dict[str, Any]], **fields: str
) -> bytes:
    """Build an image's configuration."""
    body = {
        "architecture": architecture(),
        "os": "linux",
        "created": history[-1]["created"] if history else format_time(time.time_ns()),
        "config": json.loads(msgspec.json.encode(config)),
        "rootfs": {"type": "layers", "diff_ids": list(layers)},
        "history": history,
        **fields,
    }
    return json.dumps(body).encode()


async def import_root_fs(
    images: ImageStore,
    file: Path,
    *,
    reference: Reference | None,
    changes: Sequence[str],
    message: str,
    platform: Mapping[str, str],
) -> ImageRecord:
    """Create an image of one layer from an archive of a root file system.

    Args:
        images: The store.
        file: The archive.
        reference: The image's name; None for no name.
        changes: Instructions of a Dockerfile.
        message: The comment in its history.
        platform: Fields of its configuration that state its platform.

    Raises:
        InvalidInput: An instruction is invalid, or the archive is damaged.
    """
    config = apply_commit_changes(ContainerConfig(), changes)
    async with images.sweep_if_cancelled():
        layer = await images.layers.import_async(file)
    created = format_time(time.time_ns())
    history = [{"created": created, "comment": message}]
    text = encode_config(config, [layer.diff_id], history, comment=message, **platform)
    record = images.add(text, [layer.diff_id])
    if reference is not None:
        images.tag(record, reference)
    return record


class _ArchivedImage(msgspec.Struct, rename="pascal"):
    config: str
    repo_tags: list[str] | None = None
    layers: list[str] | None = None
    parent: str | None = None
    """The id of the image it was created from, if the archive contains that image."""


class _Descriptor(msgspec.Struct):
    digest: str
    annotations: dict[str, str] | None = None


class _Manifest(msgspec.Struct):
    """Fields of an OCI layout's index and its manifests (image-layout.md)."""

    manifests: list[_Descriptor] | None = None
    config: _Descriptor | None = None
    layers: list[_Descriptor] | None = None


class ImageArchive:
    """Saved archive on disk, with access to its members by name."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._members: dict[str, tuple[int, TarEntry]] = {}
        self._links: dict[str, str] = {}
        for entry in TarReader(file):
            name = posixpath.normpath(entry.name.decode(errors="replace"))
            if entry.is_file:
                self._members[name] = (file.tell(), entry)
            elif entry.kind in {b"1", b"2"}:
                link = entry.link.decode(errors="replace")
                directory = posixpath.dirname(name) if entry.is_symlink else ""
                self._links[name] = posixpath.normpath(posixpath.join(directory, link))

    def __contains__(self, name: str) -> bool:
        return posixpath.normpath(name) in self._members

    def _locate(self, name: str) -> tuple[int, TarEntry]:
        key = posixpath.normpath(name)
        for _ in range(8):
            if key in self._members:
                return self._members[key]
            key = self._links.get(key, "")
        raise InvalidInput(f"the archive has no {name}", reference="bad-archive")

    def read(self, name: str, limit: int = 16 << 20) -> bytes:
        """Return the content of a small member."""
        offset, entry = self._locate(name)
        if entry.size > limit:
            raise InvalidInput(f"the archive's {name} is too large", reference="bad-archive")
        self._file.seek(offset)
        return b"".join(contents(entry, self._file.read))

    def extract(self, name: str, out: Path, check_cancelled: Callable[[], None]) -> None:
        """Write a member to a file; `check_cancelled` is called before each part, and raises to stop."""
        offset, entry = self._locate(name)
        self._file.seek(offset)
        with out.open("wb") as target:
            for part in contents(entry, self._file.read):
                check_cancelled()
                target.write(part)

    def images(self) -> list[_ArchivedImage]:
        """Return the images in it, from Docker's `manifest.json`, or from the OCI layout's `index.json`."""
        if "manifest.json" in self:
            return _decode(self.read("manifest.json"), list[_ArchivedImage], "manifest.json") or []
        if "index.json" not in self:
            raise InvalidInput(
                "the archive has neither manifest.json nor index.json",
                hint="use `docker import` for the archive of a root file system",
                reference="bad-archive",
            )
        images: list[_ArchivedImage] = []
        for entry in _decode(self.read("index.json"), _Manifest, "index.json").manifests or []:
            names = entry.annotations or {}
            tag = names.get("io.containerd.image.name") or names.get("org.opencontainers.image.ref.name")
            manifest = _decode(self._read_verified(entry.digest), _Manifest, f"manifest {entry.digest[:80]}")
            if manifest.config is None:
                raise InvalidInput(
                    f"the archive's {entry.digest[:80]} is no manifest of an image", reference="bad-archive"
                )
            self._read_verified(manifest.config.digest)
            images.append(
                _ArchivedImage(
                    config=_blob_path(manifest.config.digest),
                    repo_tags=[tag] if tag and ":" in tag else [],
                    layers=[_blob_path(layer.digest) for layer in manifest.layers or []],
                )
            )
        return images

    def _read_verified(self, digest: str) -> bytes:
        """Return a blob of an OCI layout after verifying its digest."""
        hex_digest(digest)
        body = self.read(_blob_path(digest))
        if f"sha256:{hashlib.sha256(body).hexdigest()}" != digest:
            raise InvalidInput(f"the archive's blob {digest} has another digest", reference="digest-mismatch")
        return body


def _decode(body: bytes, kind: type[T], what: str) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidInput(f"the archive's {what} can't be read: {error}", reference="bad-archive") from error


def _blob_path(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/', 1)}"


async def load(
    images: ImageStore, file: Path, *, on_loaded: Callable[[ImageRecord], None] = lambda _: None
) -> AsyncGenerator[str, None]:
    """Load the images of a saved archive, and yield a line for each.

    Args:
        images: The store.
        file: The archive. It may be compressed once; as in Docker Engine, a second compression is refused.
        on_loaded: Called with each image once it is stored and named.

    Raises:
        InvalidInput: It is not such an archive, or is damaged.
    """
    from pyd_core.daemon.images.streams import decompress  # noqa: PLC0415 - the compression libraries load on demand

    with file.open("rb") as raw:
        decompressed_stream = decompress(raw)
        if decompressed_stream is raw:
            async with aclosing(_load(images, raw, on_loaded)) as lines:
                async for line in lines:
                    yield line
            return
        unpacked = images.blobs.create_temporary()
        try:
            await on_thread(lambda go_on: _copy(decompressed_stream, unpacked, go_on))
            with unpacked.open("rb") as inner:
                if decompress(inner) is not inner:
                    raise InvalidInput("the archive is compressed twice", reference="bad-archive")
                async with aclosing(_load(images, inner, on_loaded)) as lines:
                    async for line in lines:
                        yield line
        finally:
            unpacked.unlink(missing_ok=True)


async def _load(
    images: ImageStore, file: BinaryIO, on_loaded: Callable[[ImageRecord], None]
) -> AsyncGenerator[str, None]:
    archive = await asyncio.to_thread(ImageArchive, file)
    records: dict[str, ImageRecord] = {}
    parents: dict[str, str] = {}
    for listed in archive.images():
        config = archive.read(listed.config)
        members = listed.layers or []
        diff_ids = check_diff_ids(read_config(config), len(members), listed.config)
        async with images.sweep_if_cancelled():
            with images.layers.pin(diff_ids):
                for diff_id, member in zip(diff_ids, members, strict=True):
                    if diff_id in images.layers:
                        continue
                    packed = images.blobs.create_temporary()
                    try:
                        await on_thread(partial(archive.extract, member, packed))
                        await images.layers.import_async(packed, expected_diff_id=diff_id)
                    finally:
                        packed.unlink(missing_ok=True)
                record = images.add(config, diff_ids)
        records[record.id], parents[record.id] = record, listed.parent or ""
        lines = _tag(images, record, listed.repo_tags or [])
        on_loaded(record)
        for line in lines:
            yield line
    for image_id, parent_id in parents.items():
        parent, record = records.get(parent_id), records[image_id]
        if parent is not None and _extends(images, record, parent):
            images.adopt(record, parent)


def _tag(images: ImageStore, record: ImageRecord, tags: Sequence[str]) -> list[str]:
    """Tag a loaded image, and return the lines about it; a tag that it has already keeps its time."""
    lines: list[str] = []
    for tag in tags:
        former = images.find_by_name(parse(tag))
        if former is not None and former.id != record.id:
            lines.append(f"The image {tag} already exists, renaming the old one with ID {former.id} to empty string\n")
        if former is None or former.id != record.id:
            images.tag(record, parse(tag))
    return lines + [f"Loaded image: {tag}\n" for tag in tags] or [f"Loaded image ID: {record.id}\n"]


def _extends(images: ImageStore, record: ImageRecord, parent: ImageRecord) -> bool:
    """Return whether an image's history and layers continue its parent's; an archive may name any parent."""
    parent_history = images.config(parent).history or []
    history = images.config(record).history or []
    return (
        len(parent_history) < len(history)
        and history[: len(parent_history)] == parent_history
        and record.layers[: len(parent.layers)] == parent.layers
    )


def _copy(source: Any, target: Path, check_cancelled: Callable[[], None]) -> None:
    with target.open("wb") as out:
        while data := source.read(1 << 20):
            check_cancelled()
            out.write(data)
