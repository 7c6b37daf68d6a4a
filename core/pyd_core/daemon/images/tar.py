"""Reading tar archives as a stream: ustar, pax and GNU headers, in one pass and without a thread of Python's `tarfile`.

See tar(5) and POSIX.1-2001 pax. `tarfile` spends most of a layer of many small files on objects nobody looks at; this
yields just what unpacking needs, and refuses what it doesn't know.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from pyd_core.errors import InvalidInput

BLOCK = 512
LONG_LIMIT = 1 << 20
"""Bytes a long name or a pax header may have."""
_PART = 1 << 18
"""Bytes of contents handed on at a time."""
_NOTHING = bytes(BLOCK)


class Source(Protocol):
    """Where the archive comes from: reads exactly n bytes unless it ends."""

    def read(self, size: int, /) -> bytes:
        """Returns up to `size` bytes, fewer only at the end."""
        ...


@dataclass(slots=True)
class Entry:
    """One member of an archive; read its `size` bytes from the reader before the next."""

    name: bytes
    kind: bytes
    """tar(5)'s type flag; regular files are `b"0"`."""
    mode: int
    uid: int
    gid: int
    size: int
    mtime_ns: int
    link: bytes
    major: int
    minor: int
    xattrs: dict[str, bytes] = field(default_factory=dict)


@lru_cache(maxsize=4096)  # the same owners, modes and times come again and again
def _number(raw: bytes) -> int:
    if raw[0] & 0x80:  # GNU's base 256
        value = int.from_bytes(raw, "big", signed=True)
        return value + (1 << (8 * len(raw) - 1)) if raw[0] == 0x80 else value
    text = raw.strip(b" \0")
    end = text.find(b"\0")
    if end >= 0:
        text = text[:end]
    try:
        return int(text, 8) if text else 0
    except ValueError:
        raise InvalidInput(
            "the archive is damaged, or no tar archive: a header has no number where one belongs",
            reference="bad-archive",
        ) from None


def _checksum(block: bytes) -> int:
    """The sum of a header's bytes with its checksum's own taken for blanks.

    The lower half of an Adler-32 is one more than the sum of the bytes, modulo 65521 (RFC 1950), which half a block
    never reaches; Python's own `sum` would take a sixth of all the time a small member costs.
    """
    halves = (zlib.adler32(block[:256]) & 0xFFFF) + (zlib.adler32(block[256:]) & 0xFFFF) - 2
    return halves - sum(block[148:156]) + 8 * 32


def _text(raw: bytes) -> bytes:
    end = raw.find(b"\0")
    return raw if end < 0 else raw[:end]


def _pax(body: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    at = 0
    while at < len(body):
        space = body.find(b" ", at)
        digits = body[at:space] if space > 0 else b""
        length = int(digits) if digits.isdigit() else 0
        record = body[space + 1 : at + length]
        if length <= 0 or not record.endswith(b"\n") or b"=" not in record:
            raise InvalidInput("the archive has a damaged pax header", reference="bad-archive")
        name, _, value = record[:-1].partition(b"=")
        found[name] = value
        at += length
    return found


class TarReader:
    """Iterates over the entries of an archive."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._left = self._left_of_data = 0

    def _read(self, size: int, least: int) -> bytes:
        """Reads so much; what pads the last member may be missing, as in what the docker client makes of `-f -`."""
        data = self._source.read(size)
        if len(data) < least:
            raise InvalidInput("the archive ends too early", reference="bad-archive")
        return data

    def data(self) -> Iterator[bytes]:
        """Yields the contents of the present entry."""
        while (size := self._left_of_data) > 0:
            if self._left <= _PART:  # the last part comes with what pads it
                part = self._read(self._left, size)
                self._left_of_data = self._left = 0
                yield part if size == len(part) else part[:size]
                return
            part = self._read(min(size, _PART), min(size, _PART))
            self._left_of_data -= len(part)
            self._left -= len(part)
            yield part

    def whole(self) -> bytes:
        """Returns the contents of the present entry."""
        return b"".join(self.data())

    def _skip(self) -> None:
        padding = self._left - self._left_of_data
        while self._left > 0:
            size = min(self._left, _PART)
            self._left -= size
            self._read(size, size if self._left else size - padding)

    def _open(self, size: int) -> None:
        self._left_of_data = size
        self._left = -(-size // BLOCK) * BLOCK

    def _long(self, size: int) -> bytes:
        if size > LONG_LIMIT:
            raise InvalidInput("the archive has a header that is too long", reference="bad-archive")
        self._open(size)
        body = self.whole()
        self._skip()
        return body

    def __iter__(self) -> Iterator[Entry]:
        pax: dict[bytes, bytes] = {}
        everywhere: dict[bytes, bytes] = {}
        name = link = b""
        self._left = self._left_of_data = 0
        while True:
            if self._left:
                self._skip()
            block = self._source.read(BLOCK)
            if not block or block == _NOTHING:
                return
            if len(block) != BLOCK:
                raise InvalidInput("the archive ends too early", reference="bad-archive")
            if _number(block[148:156]) != _checksum(block):
                raise InvalidInput("the archive is damaged: a header's checksum is wrong", reference="bad-archive")
            kind = block[156:157]
            size = _number(block[124:136])
            if size < 0:
                raise InvalidInput("the archive is damaged: a member has a negative size", reference="bad-archive")
            if kind == b"x":
                pax = _pax(self._long(size))
                continue
            if kind == b"g":
                everywhere |= _pax(self._long(size))
                continue
            if kind == b"L":
                name = _text(self._long(size))
                continue
            if kind == b"K":
                link = _text(self._long(size))
                continue
            entry = self._entry(block, kind, size, everywhere | pax if everywhere else pax)
            entry.name, entry.link = name or entry.name, link or entry.link
            pax, name, link = {}, b"", b""
            self._open(entry.size if entry.kind == b"0" else 0 if entry.kind in b"123456" else entry.size)
            yield entry

    def _entry(self, block: bytes, kind: bytes, size: int, pax: dict[bytes, bytes]) -> Entry:
        name = _text(block[:100])
        magic = block[257:263]
        if magic == b"ustar\0" and block[345]:
            name = _text(block[345:500]) + b"/" + name
        if kind in {b"\0", b"7"}:
            kind = b"0"
        if kind == b"0" and name.endswith(b"/"):
            kind = b"5"
        entry = Entry(
            name=name,
            kind=kind,
            mode=_number(block[100:108]) & 0o7777,
            uid=_number(block[108:116]),
            gid=_number(block[116:124]),
            size=size,
            mtime_ns=_number(block[136:148]) * 1_000_000_000,
            link=_text(block[157:257]),
            major=_number(block[329:337]) if magic.startswith(b"ustar") else 0,
            minor=_number(block[337:345]) if magic.startswith(b"ustar") else 0,
        )
        if pax:
            _apply(entry, pax)
        return entry


def _apply(entry: Entry, pax: dict[bytes, bytes]) -> None:
    if any(key.startswith(b"GNU.sparse.") for key in pax):
        raise InvalidInput("the archive has sparse members, which layers can't have", reference="bad-archive")
    try:
        entry.name = pax.get(b"path", entry.name)
        entry.link = pax.get(b"linkpath", entry.link)
        entry.size = int(pax.get(b"size", entry.size))
        entry.uid = int(pax.get(b"uid", entry.uid))
        entry.gid = int(pax.get(b"gid", entry.gid))
        if b"mtime" in pax:
            whole, _, part = pax[b"mtime"].partition(b".")
            entry.mtime_ns = int(whole) * 1_000_000_000 + int((part + b"000000000")[:9])
    except ValueError:
        raise InvalidInput("the archive has a damaged pax header", reference="bad-archive") from None
    if entry.size < 0:
        raise InvalidInput("the archive is damaged: a member has a negative size", reference="bad-archive")
    prefix = b"SCHILY.xattr."
    entry.xattrs = {key[len(prefix) :].decode(): value for key, value in pax.items() if key.startswith(prefix)}
