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

CHUNK = 1 << 20
_ISAL_ERROR: Any = igzip_lib.IsalError
DAMAGE: tuple[type[Exception], ...] = (OSError, EOFError, lzma.LZMAError, zstandard.ZstdError, _ISAL_ERROR)
"""Errors that decompressors raise on damaged data."""


class Readable(Protocol):
    """Source of bytes with a `read` method."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes."""
        ...


def decompressed(raw: BinaryIO) -> Readable:
    """Return a reader for a stream compressed with gzip, zstd, xz, bzip2 or nothing, detected from its first bytes.

    Its `read` raises InvalidInput if the compressed data is damaged.
    """
    start = raw.read(6)
    raw.seek(-len(start), 1)
    if start.startswith(b"\x1f\x8b"):
        return _Checked(cast("Readable", igzip.IGzipFile(fileobj=raw)))  # type: ignore[no-untyped-call]
    if start.startswith(b"\x28\xb5\x2f\xfd"):
        reader = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(raw, read_across_frames=True)
        return _Checked(cast("Readable", reader))
    if start.startswith(b"\xfd7zXZ\0"):
        return _Checked(lzma.LZMAFile(raw))
    if start.startswith(b"BZh"):
        return _Checked(bz2.BZ2File(raw))
    return raw


class _Checked:
    """Reader that reports damaged compressed data as a damaged archive."""

    def __init__(self, source: Readable) -> None:
        self._source = source

    def read(self, size: int = -1, /) -> bytes:
        try:
            return self._source.read(size)
        except DAMAGE as error:
            raise InvalidInput(f"can't decompress: {error}", reference="bad-archive") from error


class Hashed:
    """Reader that serves exact reads from large chunks and hashes all data.

    If set, `copy` receives all data too, and `on_progress` is called after each chunk.
    """

    def __init__(
        self, source: Readable, *, copy: Readable | None = None, moved: Callable[[], None] | None = None
    ) -> None:
        self._source = source
        self._moved = moved
        self._copy = copy
        self._hash = hashlib.sha256()
        self._buffer = b""
        self._at = 0
        self.size = 0

    def _more(self) -> bytes:
        data = self._source.read(CHUNK)
        self._hash.update(data)
        self.size += len(data)
        if self._copy is not None:
            self._copy.write(data)  # type: ignore[attr-defined]
        if self._moved is not None:
            self._moved()
        return data

    def read(self, size: int, /) -> bytes:
        """Return `size` bytes, fewer only at the end."""
        end = self._at + size
        if end <= len(self._buffer):
            data = self._buffer[self._at : end]
            self._at = end
            return data
        parts = [self._buffer[self._at :]]
        have = len(parts[0])
        self._buffer, self._at = b"", 0
        while have < size:
            data = self._more()
            if not data:
                break
            if have + len(data) > size:
                cut = size - have
                parts.append(data[:cut])
                self._buffer, self._at = data, cut
                have = size
            else:
                parts.append(data)
                have += len(data)
        return b"".join(parts)

    def digest(self) -> str:
        """Read to the end and return the digest of all data, `sha256:…`."""
        while self._more():
            pass
        return f"sha256:{self._hash.hexdigest()}"


def file_digest(path: Path) -> str:
    """Return the digest of a file."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
