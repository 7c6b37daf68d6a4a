"""Images from archives: `docker import` (a bare root file system) and `docker load` (what `docker save` wrote)."""

from __future__ import annotations

import asyncio
import json
import platform
import posixpath
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from pyd_core.daemon.abandon import on_thread
from pyd_core.daemon.images.changes import apply_changes
from pyd_core.daemon.images.store import ImageRecord, Images
from pyd_core.errors import InvalidInput
from pyd_core.model.base import decode, format_time
from pyd_core.model.container_config import ContainerConfig
from pyd_core.model.reference import Reference, parse
from pyd_core.tar.entry import Entry, contents
from pyd_core.tar.reader import TarReader

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386", "riscv64": "riscv64"}


def architecture() -> str:
    """This host's architecture by the name images use."""
    machine = platform.machine()
    return ARCHITECTURES.get(machine, machine)


async def spool(images: Images, chunks: AsyncIterator[bytes]) -> Path:
    """Writes a stream to a temporary file of the store."""
    file = images.blobs.temporary()
    try:
        with file.open("wb") as out:
            async with aclosing(chunks) as arriving:  # type: ignore[type-var]
                async for chunk in arriving:
                    out.write(chunk)
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    return file


def config_file(config: ContainerConfig, layers: Sequence[str], history: list[dict[str, Any]], **more: str) -> bytes:
    """Writes an image's configuration."""
    body = {
        "architecture": architecture(),
        "os": "linux",
        "created": history[-1]["created"] if history else format_time(time.time_ns()),
        "config": json.loads(msgspec.json.encode(config)),
        "rootfs": {"type": "layers", "diff_ids": list(layers)},
        "history": history,
        **more,
    }
    return json.dumps(body).encode()


async def import_root(
    images: Images, file: Path, *, reference: Reference | None, changes: Sequence[str], message: str
) -> ImageRecord:
    """Makes an image of one layer from an archive of a root file system."""
    async with images.swept():
        layer = await images.layers.take(file)
    config = apply_changes(ContainerConfig(), changes)
    created = format_time(time.time_ns())
    history = [{"created": created, "comment": message or "Imported from -"}]
    record = images.add(config_file(config, [layer.diff_id], history, comment=history[0]["comment"]), [layer.diff_id])
    if reference is not None:
        images.tag(record, reference)
    return record


class _Listed(msgspec.Struct, rename="pascal"):
    config: str
    repo_tags: list[str] | None = None
    layers: list[str] = []


class Archive:
    """A saved archive on disk, its members found by name."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._members: dict[str, tuple[int, Entry]] = {}
        self._links: dict[str, str] = {}
        for entry in TarReader(file):
            name = posixpath.normpath(entry.name.decode(errors="replace"))
            if entry.is_file:
                self._members[name] = (file.tell(), entry)
            elif entry.kind in {b"1", b"2"}:
                link = entry.link.decode(errors="replace")
                above = posixpath.dirname(name) if entry.is_symlink else ""
                self._links[name] = posixpath.normpath(posixpath.join(above, link))

    def __contains__(self, name: str) -> bool:
        return posixpath.normpath(name) in self._members

    def _where(self, name: str) -> tuple[int, Entry]:
        key = posixpath.normpath(name)
        for _ in range(8):
            if key in self._members:
                return self._members[key]
            key = self._links.get(key, "")
        raise InvalidInput(f"the archive has no {name}", reference="bad-archive")

    def read(self, name: str, limit: int = 16 << 20) -> bytes:
        """Returns a small member."""
        at, entry = self._where(name)
        if entry.size > limit:
            raise InvalidInput(f"the archive's {name} is too large", reference="bad-archive")
        self._file.seek(at)
        return b"".join(contents(entry, self._file.read))

    def extract(self, name: str, out: Path, go_on: Callable[[], None]) -> None:
        """Writes a member to a file of its own; `go_on` is called at each step, to give up by what it raises."""
        at, entry = self._where(name)
        self._file.seek(at)
        with out.open("wb") as target:
            for part in contents(entry, self._file.read):
                go_on()
                target.write(part)

    def listed(self) -> list[_Listed]:
        """Returns the images in it: by Docker's `manifest.json`, else by the OCI layout's `index.json`."""
        if "manifest.json" in self:
            return decode(self.read("manifest.json"), list[_Listed], what="manifest.json")
        if "index.json" not in self:
            raise InvalidInput(
                "the archive has neither manifest.json nor index.json",
                hint="use `docker import` for the archive of a root file system",
                reference="bad-archive",
            )
        found: list[_Listed] = []
        for entry in json.loads(self.read("index.json")).get("manifests", []):
            names = entry.get("annotations", {})
            tag = names.get("io.containerd.image.name") or names.get("org.opencontainers.image.ref.name")
            manifest = json.loads(self.read(_blob(entry["digest"])))
            found.append(
                _Listed(
                    config=_blob(manifest["config"]["digest"]),
                    repo_tags=[tag] if tag and ":" in tag else [],
                    layers=[_blob(layer["digest"]) for layer in manifest["layers"]],
                )
            )
        return found


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/', 1)}"


async def load(
    images: Images, file: Path, *, loaded: Callable[[ImageRecord], None] = lambda _: None
) -> AsyncGenerator[str, None]:
    """Loads the images of a saved archive, and yields a line about each.

    Args:
        images: The store.
        file: The archive.
        loaded: Called with each image when it is here and has its names.

    Raises:
        InvalidInput: It is not such an archive, or damaged.
    """
    from pyd_core.daemon.images.streams import decompressed  # noqa: PLC0415 - the compression libraries load on demand

    with file.open("rb") as raw:
        plain = decompressed(raw)
        if plain is not raw:
            unpacked = images.blobs.temporary()
            try:
                await on_thread(lambda go_on: _copy(plain, unpacked, go_on))
                async with aclosing(load(images, unpacked, loaded=loaded)) as lines:
                    async for line in lines:
                        yield line
            finally:
                unpacked.unlink(missing_ok=True)
            return
        archive = await asyncio.to_thread(Archive, raw)
        for listed in archive.listed():
            config = archive.read(listed.config)
            try:
                diff_ids: list[str] = json.loads(config)["rootfs"]["diff_ids"]
            except (ValueError, KeyError, TypeError) as error:
                raise InvalidInput(f"the archive's {listed.config} is no image configuration") from error
            if len(diff_ids) != len(listed.layers):
                raise InvalidInput(f"{listed.config} names {len(diff_ids)} layers, the archive {len(listed.layers)}")
            async with images.swept():
                with images.layers.pinned(diff_ids):
                    for diff_id, member in zip(diff_ids, listed.layers, strict=True):
                        if diff_id in images.layers:
                            continue
                        packed = images.blobs.temporary()
                        try:
                            await on_thread(partial(archive.extract, member, packed))
                            await images.layers.take(packed, wanted=diff_id)
                        finally:
                            packed.unlink(missing_ok=True)
                    record = images.add(config, diff_ids)
            for tag in listed.repo_tags or []:
                images.tag(record, parse(tag))
            loaded(record)
            for tag in listed.repo_tags or []:
                yield f"Loaded image: {tag}\n"
            if not listed.repo_tags:
                yield f"Loaded image ID: {record.id}\n"


def _copy(source: Any, target: Path, go_on: Callable[[], None]) -> None:
    with target.open("wb") as out:
        while data := source.read(1 << 20):
            go_on()
            out.write(data)
