"""A tar header block: ustar, GNU, star and the form of Unix version 7 (tar(5)), read as Go's archive/tar reads them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import lru_cache

from pyd_core.errors import InvalidInput
from pyd_core.tar.entry import BLOCK_BYTES, HEADER_ONLY, TarEntry, damaged

_OCTAL_DIGITS = frozenset(b"01234567")
_MAX_NUMBER = (1 << 63) - 1


@lru_cache(maxsize=4096)  # the same owners, modes and times occur again and again
def number(raw: bytes) -> int:
    """Read a number: octal digits between blanks and NULs, or GNU's base 256.

    Raises:
        InvalidInput: It is neither, or has more than 63 bits.
    """
    if raw[0] & 0x80:
        value = int.from_bytes(raw, "big") & ((1 << (8 * len(raw) - 1)) - 1)
        if raw[0] & 0x40:
            value -= 1 << (8 * len(raw) - 1)
        if not -_MAX_NUMBER - 1 <= value <= _MAX_NUMBER:
            raise damaged("a header has a number that is too large")
        return value
    digits = raw.strip(b" \0").partition(b"\0")[0]
    if not digits:
        return 0
    if not _OCTAL_DIGITS.issuperset(digits):
        raise damaged("a header has no number where one belongs")
    return int(digits, 8)


MODE, UID, GID, SIZE, KIND = slice(100, 108), slice(108, 116), slice(116, 124), slice(124, 136), slice(156, 157)


def check_number(field: bytes) -> None:
    """Refuse digits after a NUL: Go reads them, GNU tar refuses them, and others read 0.

    Raises:
        InvalidInput: The field has digits after a NUL.
    """
    before, _, after = field.partition(b"\0")
    if not before.strip(b" ") and after.strip(b" \x000"):
        raise damaged("a header has a number after a NUL")


def check_numbers(block: bytes, records: Mapping[bytes, bytes]) -> None:
    """Refuse digits after a NUL in a member's mode, owner and size, unless a pax record has the number instead.

    The mode of a symbolic link has no meaning, and neither has the size of a member without data.

    Raises:
        InvalidInput: A field has digits after a NUL.
    """
    kind = block[KIND]
    for key, field in ((b"mode", MODE), (b"uid", UID), (b"gid", GID), (b"size", SIZE)):
        is_ignored = (key == b"mode" and kind == b"2") or (key == b"size" and kind in HEADER_ONLY)
        if not records.get(key) and not is_ignored:
            check_number(block[field])


def check_prefix(block: bytes) -> None:
    """Refuse a prefix in a header of no known format: Go ignores it, and others read it.

    Raises:
        InvalidInput: The header has one.
    """
    if block[257:262] == b"ustar" and block[262:263] != b"\0" and not is_gnu(block) and block[345]:
        raise damaged("a header has a prefix, but is of no known format")


def text(raw: bytes) -> bytes:
    """Return a field up to its first NUL, or all of it."""
    end = raw.find(b"\0")
    return raw if end < 0 else raw[:end]


def _unsigned_sum(block: bytes) -> int:
    """Return the sum of a header's bytes, counting its checksum field as blanks.

    The lower half of an Adler-32 is one more than the sum of the bytes, modulo 65521 (RFC 1950), which half a block
    never reaches. Python's `sum` would take a sixth of the time that a small member costs.
    """
    halves = (zlib.adler32(block[:256]) & 0xFFFF) + (zlib.adler32(block[256:]) & 0xFFFF) - 2
    return halves - sum(block[148:156]) + 8 * 32


def _check_checksum(block: bytes) -> None:
    """Compare the checksum with the sum of the bytes, or of signed bytes, which some old archivers use."""
    checksum, unsigned = number(block[148:156]), _unsigned_sum(block)
    if checksum == unsigned:
        return
    rest = block[:148] + block[156:]
    if checksum != unsigned - 256 * sum(byte >= 0x80 for byte in rest):
        raise damaged("a header's checksum is wrong")


def _prefix(block: bytes) -> bytes:
    """Return the directory that a header stores separately from the name."""
    if block[257:263] == b"ustar\0":
        return text(block[345:476] if block[508:512] == b"tar\0" else block[345:500])
    try:  # GNU has times there, but Go before 1.8 wrote a prefix (golang.org/issues/12594), as old layers do
        for field in (block[345:357], block[357:369]):
            if field[0]:
                number(field)
    except InvalidInput:
        old = text(block[345:500])
        return old if old.isascii() else b""
    return b""


def has_prefix_of_old_go(block: bytes) -> bool:
    """Return whether a GNU header has a prefix, as Go before 1.8 wrote it: GNU tar and libarchive ignore it."""
    return block[345] != 0 and is_gnu(block) and bool(_prefix(block))


def is_gnu(block: bytes) -> bool:
    """Return whether a header is in GNU's own format."""
    return block[257:265] == b"ustar  \0"


def read(block: bytes) -> TarEntry:
    """Read a header block, without what extended headers say about the member.

    Raises:
        InvalidInput: It is not a header.
    """
    if len(block) != BLOCK_BYTES:
        raise damaged("a header is cut short")
    _check_checksum(block)
    name = text(block[:100])
    major = minor = 0
    if block[257:263] == b"ustar\0" or is_gnu(block):
        major, minor = number(block[329:337]), number(block[337:345])
        if block[345]:
            prefix = _prefix(block)
            name = prefix + b"/" + name if prefix else name
    size = number(block[SIZE])
    if size < 0:
        raise damaged("a member has a negative size")
    return TarEntry(
        name=name,
        kind=block[156:157],
        mode=number(block[MODE]) & 0o7777,
        uid=number(block[UID]),
        gid=number(block[GID]),
        size=size,
        mtime_ns=number(block[136:148]) * 1_000_000_000,
        link=text(block[157:257]),
        major=major,
        minor=minor,
    )
