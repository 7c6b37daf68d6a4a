"""Decompression and hashing of layers in one pass."""

from __future__ import annotations

import bz2
import hashlib
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import zstandard
from isal import igzip, igzip_lib

from pyd_core.errors import InvalidInput

CHUNK_BYTES = 1 << 20
_ISAL_ERROR: Any = igzip_lib.IsalError
DECOMPRESSION_ERRORS: tuple[type[Exception], ...] = (
    OSError,
    EOFError,
    lzma.LZMAError,
    zstandard.ZstdError,
    _ISAL_ERROR,
)
"""Errors that decompressors raise on damaged data."""


class Readable(Protocol):
    """Source of bytes with a `read` method."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes."""
        ...


def decompress(raw: BinaryIO) -> Readable:
    """Return a reader for a stream compressed with gzip, zstd, xz, bzip2 or nothing, detected from its first bytes.

    Its `read` raises InvalidInput if the compressed data is damaged.
    """
    magic = raw.read(6)
    raw.seek(-len(magic), 1)
    if magic.startswith(b"\x1f\x8b"):
        return _CheckedReader(cast("Readable", igzip.IGzipFile(fileobj=raw)))  # type: ignore[no-untyped-call]
    if magic.startswith(b"\x28\xb5\x2f\xfd"):
        reader = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(raw, read_across_frames=True)
        return _CheckedReader(cast("Readable", reader))
    if magic.startswith(b"\xfd7zXZ\0"):
        return _CheckedReader(lzma.LZMAFile(raw))
    if magic.startswith(b"BZh"):
        return _CheckedReader(bz2.BZ2File(raw))
    return raw


class _CheckedReader:
    """Reader that reports damaged compressed data as a damaged archive."""

    def __init__(self, source: Readable) -> None:
        self._source = source

    def read(self, size: int = -1, /) -> bytes:
        try:
            return self._source.read(size)
        except DECOMPRESSION_ERRORS as error:
            raise InvalidInput(f"can't decompress: {error}", reference="bad-archive") from error


class HashingReader:
    """Reader that serves exact reads from large chunks and hashes all data.

    If set, `copy` receives all data too, and `on_progress` is called after each chunk.
    """

    def __init__(
        self, source: Readable, *, copy: Readable | None = None, on_progress: Callable[[], None] | None = None
    ) -> None:
        self._source = source
        self._on_progress = on_progress
        self._copy = copy
        self._hash = hashlib.sha256()
        self._buffer = b""
        self._offset = 0
        self.size = 0

    def _read_chunk(self) -> bytes:
        data = self._source.read(CHUNK_BYTES)
        self._hash.update(data)
        self.size += len(data)
        if self._copy is not None:
            self._copy.write(data)  # type: ignore[attr-defined]
        if self._on_progress is not None:
            self._on_progress()
        return data

    def read(self, size: int, /) -> bytes:
        """Return `size` bytes, fewer only at the end."""
        end = self._offset + size
        if end <= len(self._buffer):
            data = self._buffer[self._offset : end]
            self._offset = end
            return data
        parts = [self._buffer[self._offset :]]
        length = len(parts[0])
        self._buffer, self._offset = b"", 0
        while length < size:
            data = self._read_chunk()
            if not data:
                break
            if length + len(data) > size:
                cut = size - length
                parts.append(data[:cut])
                self._buffer, self._offset = data, cut
                length = size
            else:
                parts.append(data)
                length += len(data)
        return b"".join(parts)

    def digest(self) -> str:
        """Read to the end and return the digest of all data, `sha256:…`."""
        while self._read_chunk():
            pass
        return f"sha256:{self._hash.hexdigest()}"


def file_digest(path: Path) -> str:
    """Return the digest of a file."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
