"""Members of an archive, and the errors of damaged archives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pyd_core.errors import InvalidInput

BLOCK_BYTES = 512
MAX_HEADER_BYTES = 1 << 20
"""Limit for a long name, a pax header or a sparse map: that of Go's archive/tar, which Docker Engine reads with."""
HEADER_ONLY = frozenset({b"1", b"2", b"3", b"4", b"5", b"6"})
"""Types of members that have no data, whatever size their header has."""
PART_BYTES = 1 << 18
"""Maximum size of a part of the contents."""

Fragment = tuple[int, int]
"""Offset and length of data in a sparse file."""


@dataclass(slots=True)
class TarEntry:
    """Member of an archive."""

    name: bytes
    kind: bytes
    """tar(5)'s type flag. Regular files of all forms are `b"0"`, directories `b"5"`."""
    mode: int
    uid: int
    gid: int
    size: int
    """Bytes of its contents; for a sparse file, including holes."""
    mtime_ns: int
    link: bytes
    major: int
    minor: int
    xattrs: dict[str, bytes] = field(default_factory=dict)
    stored_bytes: int = 0
    """Bytes that follow the headers in the archive, without padding."""
    fragments: tuple[Fragment, ...] | None = None
    """Where the stored bytes belong in a sparse file, in order; None for other files."""

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return self.kind == b"0"

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return self.kind == b"5"

    @property
    def is_symlink(self) -> bool:
        """Whether it is a symbolic link."""
        return self.kind == b"2"


def damaged(problem: str) -> InvalidInput:
    """Return the error for an archive that is damaged in the given way."""
    return InvalidInput(f"the archive is damaged, or no tar archive: {problem}", reference="bad-archive")


def truncated() -> InvalidInput:
    """Return the error for an archive that ends in the middle of a member."""
    return InvalidInput("the archive ends too early", reference="bad-archive")


def contents(entry: TarEntry, read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Yield the contents of an entry, with holes filled with zeros.

    Args:
        entry: The entry.
        read: Returns the given number of the entry's stored bytes.
    """
    position = 0
    for offset, length in entry.fragments if entry.fragments is not None else ((0, entry.size),):
        yield from _zeros(offset - position)
        position = offset + length
        for size in _parts(length):
            yield read(size)
    yield from _zeros(entry.size - position)


def _zeros(size: int) -> Iterator[bytes]:
    for part in _parts(size):
        yield bytes(part)


def _parts(size: int) -> Iterator[int]:
    while size > 0:
        yield min(size, PART_BYTES)
        size -= PART_BYTES
