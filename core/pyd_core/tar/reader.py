"""Tar reader for files and other blocking sources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from pyd_core.tar.decoder import HeaderDecoder
from pyd_core.tar.entry import BLOCK_BYTES, PART_BYTES, TarEntry, contents, truncated


class ByteSource(Protocol):
    """Source of an uncompressed archive."""

    def read(self, size: int, /) -> bytes:
        """Return `size` bytes, fewer only at the end."""
        ...


class TarReader:
    """Iterates over the entries of an archive; read an entry's contents before the next entry.

    Python's `tarfile` spends most of the time for a layer of many small files on objects that aren't used here.

    Args:
        source: The archive, uncompressed.
    """

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._entry: TarEntry | None = None
        self._remaining = 0
        """Stored bytes of the current entry that weren't read."""
        self._padding = 0
        self._decoder = HeaderDecoder()

    def __iter__(self) -> Iterator[TarEntry]:
        while True:
            self._skip()
            steps = self._decoder.next_entry()
            size = next(steps)
            try:
                while True:
                    size = steps.send(self._source.read(size))
            except StopIteration as stop:
                entry: TarEntry | None = stop.value
            if entry is None:
                return
            self._entry = entry
            self._remaining = entry.stored_bytes
            self._padding = -entry.stored_bytes % BLOCK_BYTES
            yield entry

    def data(self) -> Iterator[bytes]:
        """Yield the contents of the current entry.

        Raises:
            InvalidInput: The archive ends too early.
        """
        entry = self._entry
        if entry is None:
            return
        if entry.fragments is not None:
            yield from contents(entry, self._read)
            return
        while self._remaining:
            yield self._read(min(self._remaining, PART_BYTES))

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """Yield the offset in the current entry and the bytes of each stored part, without the holes of a sparse file.

        Raises:
            InvalidInput: The archive ends too early.
        """
        entry = self._entry
        if entry is None:
            return
        for offset, length in entry.fragments if entry.fragments is not None else ((0, entry.stored_bytes),):
            for begin in range(offset, offset + length, PART_BYTES):
                yield begin, self._read(min(offset + length - begin, PART_BYTES))

    def read_content(self) -> bytes:
        """Return the contents of the current entry."""
        return b"".join(self.data())

    def _read(self, size: int) -> bytes:
        """Read stored bytes, and the padding with the last of them: it may be missing at the end of an archive."""
        self._remaining -= size
        padding, self._padding = (0, self._padding) if self._remaining else (self._padding, 0)
        data = self._source.read(size + padding)
        if len(data) < size:
            raise truncated()
        return data[:size] if padding else data

    def _skip(self) -> None:
        while self._remaining:
            self._read(min(self._remaining, PART_BYTES))
