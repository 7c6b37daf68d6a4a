"""Reader for the layers in an engine's archive of an image: a single pass that keeps only names and sizes.

Two forms: `manifest.json` names the layers of each image in order (Docker Image Specification v1.2, "Combined Image
JSON + Filesystem Changeset Format"), and engines since Docker 25 write an OCI layout that includes the same file.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import queue
import zlib
from collections.abc import Callable, Iterator
from io import BufferedReader, RawIOBase
from typing import IO, Any, cast

import msgspec

from pyd_core.errors import InvalidInput, ProtocolError
from pyd_core.layers.content import LayerContent
from pyd_core.tar.entry import TarEntry
from pyd_core.tar.reader import ByteSource, TarReader
from pyd_core.tar.whiteouts import OPAQUE, hidden_name

MAX_QUEUED_CHUNKS = 16
"""Maximum number of chunks waiting to be read."""

MAX_MANIFEST_BYTES = 4 * 2**20
"""Maximum size of a manifest that is read; real ones have a few thousand bytes."""


class Feed(RawIOBase):
    """Pipe between threads: one feeds it, another reads it as a file. `feed(None)` ends it."""

    def __init__(self) -> None:
        self._chunks: queue.Queue[bytes | None] = queue.Queue(MAX_QUEUED_CHUNKS)
        self._rest = memoryview(b"")
        self._is_ended = False
        self._is_abandoned = False

    def feed(self, chunk: bytes | None) -> bool:
        """Add a chunk, waiting for room; return False if the feed is abandoned instead."""
        while not self._is_abandoned:
            try:
                self._chunks.put(chunk, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False

    def abandon(self) -> None:
        """Mark the feed as no longer read or filled."""
        self._is_abandoned = True

    def readable(self) -> bool:
        """Return True: feeds can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is buffered, or wait for the next chunk."""
        while not self._rest and not self._is_ended:
            try:
                chunk = self._chunks.get(timeout=0.2)
            except queue.Empty:
                self._is_ended = self._is_abandoned
                continue
            self._is_ended = chunk is None
            self._rest = memoryview(chunk or b"")
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def read_layers(archive: IO[bytes]) -> list[LayerContent]:
    """Read the layers of the one image in an archive, the lowest first.

    Raises:
        ProtocolError: It is not an archive of an image.
    """
    contents: dict[str, LayerContent] = {}
    names: list[str] = []
    links: dict[str, str] = {}
    outer = TarReader(archive)
    try:
        for member in outer:
            name = os.fsdecode(member.name)
            if member.is_symlink:  # a layer that several images share, in archives of older engines
                links[name] = os.fsdecode(member.link).rpartition("../")[2]
            elif not member.is_file:
                continue
            elif name == "manifest.json" and member.size <= MAX_MANIFEST_BYTES:
                names = _layer_names(outer.read_content())
            elif name.endswith(("/layer.tar", ".tar")) or name.startswith("blobs/"):
                layer = _read_layer(name, BufferedReader(_MemberFile(outer.data())))
                if layer is not None:
                    contents[name] = layer
    except InvalidInput as error:
        raise ProtocolError(f"the engine's archive of the image can't be read: {error.message}") from error
    layers = [contents[links.get(name, name)] for name in names if links.get(name, name) in contents]
    if not layers or len(layers) != len(names):
        raise ProtocolError("the engine's archive of the image lacks layers that its manifest names")
    return layers


class _MemberFile(RawIOBase):
    """The contents of a member as a file."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = memoryview(part)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _decompress(packed: BufferedReader) -> ByteSource:
    magic = packed.peek(6)[:6]
    if magic.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=packed)
    if magic.startswith(b"BZh"):
        return bz2.BZ2File(packed)
    if magic == b"\xfd7zXZ\0":
        return lzma.LZMAFile(packed)
    if magic.startswith(b"\x28\xb5\x2f\xfd"):
        import zstandard  # noqa: PLC0415 - few layers are compressed with zstd

        return BufferedReader(cast("RawIOBase", zstandard.ZstdDecompressor().stream_reader(packed)))
    return packed


def _layer_names(body: bytes) -> list[str]:
    try:
        manifest = msgspec.json.decode(body, type=list[_Manifest])
    except msgspec.DecodeError as error:
        raise ProtocolError(f"the manifest in the engine's archive can't be read: {error}") from error
    return manifest[0].layers if manifest else []


class _Manifest(msgspec.Struct, rename="pascal"):
    layers: list[str] = []


def _read_layer(name: str, content: BufferedReader) -> LayerContent | None:
    """Read a layer; return None for a blob that is not an archive, such as a configuration."""
    layer = LayerContent(name=name)
    try:
        for member in TarReader(_decompress(content)):
            _add_member(member, layer)
    except (InvalidInput, OSError, EOFError, zlib.error, lzma.LZMAError):
        return layer if layer.files else None
    return layer


def _add_member(member: TarEntry, layer: LayerContent) -> None:
    path = os.fsdecode(member.name).removeprefix("./").strip("/")
    directory, _, base = path.rpartition("/")
    if base == OPAQUE:
        layer.opaque_directories.add(directory)
    elif (hidden := hidden_name(base)) is not None:
        layer.removed.add(f"{directory}/{hidden}".lstrip("/"))
    elif not member.is_directory and path:
        layer.files[path] = member.size if member.is_file else 0


def read_feed(feed: Feed, done: Callable[[list[LayerContent] | Exception], None]) -> None:
    """Read a feed to its end on the calling thread, and pass the layers or the error to `done`."""
    try:
        done(read_layers(cast("IO[bytes]", BufferedReader(feed))))
    except Exception as error:  # noqa: BLE001 - passed to the waiting task
        done(error)
    finally:
        feed.abandon()
