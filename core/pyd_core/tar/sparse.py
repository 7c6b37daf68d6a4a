"""Sparse members: GNU's old format, and its pax formats 0.0, 0.1 and 1.0 (GNU tar manual, "Storing Sparse Files").

Each function returns which parts of a file are stored and where they belong. Like the decoder, they yield the number of
bytes they need.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping

from pyd_core.tar.entry import BLOCK_BYTES, MAX_HEADER_BYTES, Fragment, TarEntry, damaged, truncated
from pyd_core.tar.header import number
from pyd_core.tar.pax import SPARSE_MAP, integer

_REAL_SIZE = slice(483, 495)
_MAX_FRAGMENTS = MAX_HEADER_BYTES // 16


def old_map(entry: TarEntry, block: bytes, values: Mapping[bytes, bytes]) -> Generator[int, bytes, list[Fragment]]:
    """Read the map of a member of type `S`: four fragments in its header, more in the blocks that follow it.

    Raises:
        InvalidInput: The map is malformed, or its extended header has records of the pax formats too: some readers
            take the name and the size from there.
    """
    if any(key.startswith(b"GNU.sparse.") for key in values):
        raise damaged("a sparse member has two formats")
    entry.size = number(block[_REAL_SIZE])
    fragments = _pairs(block[386:482])
    extended = block[482]
    while extended:
        more = yield BLOCK_BYTES
        if len(more) != BLOCK_BYTES:
            raise truncated()
        fragments += _pairs(more[:504])
        extended = more[504]
        if len(fragments) > _MAX_FRAGMENTS:
            raise damaged("a sparse member's map is too long")
    return fragments


def _pairs(table: bytes) -> list[Fragment]:
    fragments: list[Fragment] = []
    for offset in range(0, len(table), 24):
        if not table[offset]:
            break
        fragments.append((number(table[offset : offset + 12]), number(table[offset + 12 : offset + 24])))
    return fragments


def pax_map(entry: TarEntry, values: Mapping[bytes, bytes]) -> Generator[int, bytes, list[Fragment] | None]:
    """Read the map of an extended header, in it or in the data it announces; None for members that aren't sparse."""
    version = (values.get(b"GNU.sparse.major", b""), values.get(b"GNU.sparse.minor", b""))
    in_data = version == (b"1", b"0")
    in_header = version in {(b"0", b"0"), (b"0", b"1")} or (version == (b"", b"") and bool(values.get(SPARSE_MAP)))
    if not in_data and not in_header:
        size = values.get(b"GNU.sparse.size") or values.get(b"GNU.sparse.realsize")
        if (values.get(b"GNU.sparse.name") or entry.name) != entry.name or (size and integer(size) != entry.size):
            raise damaged("a member that is not sparse has the name or the size of one that is")
        return None
    entry.name = values.get(b"GNU.sparse.name") or entry.name
    real = values.get(b"GNU.sparse.size") or values.get(b"GNU.sparse.realsize")
    if real:
        entry.size = integer(real)
    if in_data:
        return (yield from _map_in_data(entry))
    numbers = values.get(SPARSE_MAP, b"").split(b",")
    if numbers == [b""]:
        numbers = []
    count = integer(values.get(b"GNU.sparse.numblocks") or b"%d" % (len(numbers) // 2))
    if len(numbers) != 2 * count:
        raise damaged("a sparse member's map is malformed")
    return [(integer(numbers[index]), integer(numbers[index + 1])) for index in range(0, len(numbers), 2)]


def _map_in_data(entry: TarEntry) -> Generator[int, bytes, list[Fragment]]:
    """Read the map that format 1.0 stores before the data: lines of decimal numbers, padded to whole blocks."""
    text = b""
    numbers: list[int] = []
    while not numbers or len(numbers) <= 2 * numbers[0]:
        line, newline, rest = text.partition(b"\n")
        if newline:
            numbers.append(integer(line))
            text = rest
            if not 0 <= numbers[0] <= _MAX_FRAGMENTS:
                raise damaged("a sparse member's map is malformed")
            continue
        block = yield BLOCK_BYTES
        entry.stored_bytes -= BLOCK_BYTES
        if len(block) != BLOCK_BYTES or entry.stored_bytes < 0 or len(text) > BLOCK_BYTES:
            raise damaged("a sparse member's map is malformed")
        text += block
    return [(numbers[index], numbers[index + 1]) for index in range(1, len(numbers), 2)]


def check(entry: TarEntry, fragments: list[Fragment]) -> tuple[Fragment, ...]:
    """Return a map after checking that its fragments follow each other within the file and are stored completely.

    Raises:
        InvalidInput: They don't.
    """
    end = stored = 0
    for offset, length in fragments:
        if length < 0 or offset < end or offset + length > entry.size:
            raise damaged("a sparse member's map is malformed")
        end = offset + length
        stored += length
    if stored != entry.stored_bytes:
        raise damaged("a sparse member's map doesn't fit its data")
    return tuple(fragments)
