"""Archives made up for a comparison of readers: well-formed ones, odd ones and damaged ones."""

from __future__ import annotations

import random

BLOCK = 512
_NAMES = (
    b"a",
    b"d/b",
    b"d",
    b"d/",
    b"./c",
    b"/abs/x",
    b"n" * 99 + b"/",
    b"n" * 100,
    b"p" * 60 + b"/" + b"q" * 39,
    b"with space",
    b"caf\xc3\xa9",
    b"x" * 98 + b"//",
)
_KINDS = (b"0", b"0", b"0", b"0", b"\0", b"\0", b"5", b"5", b"2", b"1", b"6", b"3", b"7", b"S", b"V", b"D", b"A", b"N")
_RECORDS = (
    b"path",
    b"linkpath",
    b"size",
    b"uid",
    b"gid",
    b"mtime",
    b"comment",
    b"GNU.sparse.map",
    b"GNU.sparse.major",
    b"GNU.sparse.name",
    b"SCHILY.xattr.user.a",
    b"uname",
)


def checksummed(block: bytes, rng: random.Random | None = None) -> bytes:
    """Return a header with its checksum; now and then as old archivers wrote it."""
    total = sum(block[:148]) + sum(block[156:]) + 8 * 32
    if rng is not None and rng.random() < 0.03:
        total -= 256 * sum(byte >= 128 for byte in block[:148] + block[156:])
    form = rng.choice((b"%06o\0 ", b"%06o\0 ", b"%07o\0", b" %05o \0")) if rng is not None else b"%06o\0 "
    return block[:148] + (form % (total % (1 << 18)))[:8] + block[156:]


class Generator:
    """Generator of one archive for each seed.

    Args:
        seed: Decides everything.
    """

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._odd = 0.15 if seed % 3 else 0.01
        self.has_globals = False
        """Whether a global header says something about members: Go and libarchive ignore it, the others don't."""

    def archive(self) -> bytes:
        rng = self._rng
        whole = b"".join(self._member() for _ in range(rng.randint(1, 4)))
        end = rng.random()
        if end < 0.7:
            whole += bytes(BLOCK * rng.choice((2, 2, 2, 20)))
        elif end < 0.8:
            whole += bytes(BLOCK)
        if rng.random() < self._odd:
            whole += rng.choice((b"garbage", bytes(BLOCK) + b"\1" * BLOCK, b"\1" * BLOCK))
        if rng.random() < self._odd:
            whole = whole[: rng.randrange(len(whole) + 1)]
        if rng.random() < self._odd:
            offset = rng.randrange(len(whole) // BLOCK + 1) * BLOCK
            block = bytearray(whole[offset : offset + BLOCK])
            if len(block) == BLOCK:
                for _ in range(rng.randint(1, 4)):
                    block[rng.randrange(BLOCK)] = rng.choice(
                        (0, 0x20, 0x2F, 0x30, 0x37, 0x38, 0x80, 0xFF, rng.randrange(256))
                    )
                whole = whole[:offset] + checksummed(bytes(block)) + whole[offset + BLOCK :]
        return whole

    def _chance(self) -> bool:
        return self._rng.random() < self._odd

    def _member(self) -> bytes:
        rng = self._rng
        name, link = rng.choice(_NAMES), rng.choice(_NAMES)
        kind = rng.choice(_KINDS if self._chance() or rng.random() < 0.3 else _KINDS[:13])
        body = (
            bytes(rng.randrange(256) for _ in range(rng.choice((0, 0, 1, 22, 511, 512, 513, 1024))))
            if kind in b"0\0007S"
            else b""
        )
        if rng.random() < 0.1 and kind in b"0\0007":
            body = self._header(b"hidden", b"0", b"", 0) + body
        before = b""
        style = rng.random()
        if style < 0.25:
            before = self._pax(body, kind)
        elif style < 0.4:
            long = rng.choice(_NAMES) + b"/" + b"l" * rng.choice((1, 100, 600)) + rng.choice((b"", b"/"))
            before = self._extended(rng.choice((b"L", b"L", b"K")), long + (b"\0" if rng.random() < 0.9 else b""))
        elif style < 0.5 and kind in b"0":
            return self._sparse(name)
        elif style < 0.53:
            records = self._record(b"comment", b"0" * 40)
            if self._chance():
                self.has_globals = True
                records += self._record(b"path", b"global")
            before = self._extended(b"g", records)
        if self._chance():
            kind_before = rng.choice((b"x", b"g", b"L", b"X"))
            self.has_globals |= kind_before == b"g"
            before += self._extended(
                kind_before, self._record(rng.choice(_RECORDS), rng.choice((b"1", b"", b"z/", b"0,1")))
            )
        size = rng.choice((1, 512, len(body))) if self._chance() else len(body)
        return before + self._header(name, kind, link, size) + body + bytes(-len(body) % BLOCK)

    def _record(self, key: bytes, value: bytes) -> bytes:
        size = len(key) + len(value) + 3
        total = size + len(b"%d" % size)
        total = size + len(b"%d" % total)
        if self._chance():
            total += self._rng.choice((-1, 1, 10))
        return b"%d %s=%s\n" % (total, key, value)

    def _pax(self, body: bytes, kind: bytes) -> bytes:
        rng = self._rng
        records = b""
        for key in rng.sample(_RECORDS[:7], rng.randint(1, 4)):
            value = {
                b"path": rng.choice(_NAMES) + b"/" + b"p" * rng.choice((1, 150)) + rng.choice((b"", b"", b"/")),
                b"linkpath": b"t" * rng.choice((1, 150)),
                b"size": b"%d" % (len(body) if kind in b"0\0007S" else 0),
                b"uid": rng.choice((b"0", b"1000", b"4294967294")),
                b"gid": rng.choice((b"0", b"1000")),
                b"mtime": rng.choice((b"1700000000", b"1700000000.123456789", b"1.5")),
                b"comment": b"hello",
            }[key]
            if self._chance():
                value = rng.choice((b"", b"-1", b"1_0", b" 1", b"x", value + b"\0", b"99999999999999999999"))
            records += self._record(key, value)
        return self._extended(rng.choice((b"x", b"x", b"x", b"X")) if self._chance() else b"x", records)

    def _extended(self, kind: bytes, body: bytes) -> bytes:
        return self._header(b"././@LongLink", kind, b"", len(body)) + body + bytes(-len(body) % BLOCK)

    def _sparse(self, name: bytes) -> bytes:
        rng = self._rng
        fragments: list[tuple[int, int]] = []
        offset = 0
        for _ in range(rng.choice((0, 1, 2, 4, 5, 26))):
            offset += rng.choice((0, 512, 1024, 10000))
            length = rng.choice((0, 512, 512, 1024))
            fragments.append((offset, length))
            offset += length
        real = offset + rng.choice((0, 0, 512, 7))
        body = b"".join(bytes([rng.randrange(1, 256)]) * length for _, length in fragments)
        if self._chance() and fragments:
            fragments[-1] = (rng.choice((0, 10**6)), rng.choice((0, 1, 512)))
        numbers = [b"%d" % number for pair in fragments for number in pair]
        count = self._record(b"GNU.sparse.numblocks", b"%d" % len(fragments))
        form = rng.randrange(4)
        if form == 0:
            return self._old_sparse(name, fragments, real, body)
        if form == 1:
            pairs = b"".join(
                self._record(b"GNU.sparse.offset", b"%d" % offset)
                + self._record(b"GNU.sparse.numbytes", b"%d" % length)
                for offset, length in fragments
            )
            records = self._record(b"GNU.sparse.size", b"%d" % real) + count + pairs
        elif form == 2:
            sparse_map = self._record(b"GNU.sparse.map", b",".join(numbers))
            records = self._record(b"GNU.sparse.size", b"%d" % real) + count + sparse_map
            records += self._record(b"GNU.sparse.name", name)
        else:
            text = b"".join(number + b"\n" for number in (b"%d" % len(fragments), *numbers))
            body = text + bytes(-len(text) % BLOCK) + body
            records = self._record(b"GNU.sparse.major", b"1") + self._record(b"GNU.sparse.minor", b"0")
            records += self._record(b"GNU.sparse.name", name) + self._record(b"GNU.sparse.realsize", b"%d" % real)
        return (
            self._extended(b"x", records)
            + self._header(b"GNUSparseFile.0/s", b"0", b"", len(body))
            + body
            + bytes(-len(body) % BLOCK)
        )

    def _old_sparse(self, name: bytes, fragments: list[tuple[int, int]], real: int, body: bytes) -> bytes:
        pairs = [b"%011o\0%011o\0" % pair for pair in fragments]
        block = bytearray(self._plain(name, b"S", b"", len(body), "gnu"))
        block[386:482] = b"".join(pairs[:4]).ljust(96, b"\0")
        block[482] = len(pairs) > 4
        block[483:495] = b"%011o\0" % real
        more = b""
        rest = pairs[4:]
        while rest:
            more += b"".join(rest[:21]).ljust(504, b"\0") + bytes([len(rest) > 21]) + bytes(7)
            rest = rest[21:]
        return checksummed(bytes(block)) + more + body + bytes(-len(body) % BLOCK)

    def _number(self, value: int, width: int) -> bytes:
        form = self._rng.random()
        if form < 0.8:
            return (b"%0*o" % (width - 1, value))[-(width - 1) :] + b"\0"
        if form < 0.9:
            return (b"%*o " % (width - 1, value))[:width].ljust(width, b"\0")
        if form < 0.97:
            return b"\x80" + value.to_bytes(width - 1, "big")
        return (b"%0*o" % (width, value))[-width:]

    def _header(self, name: bytes, kind: bytes, link: bytes, size: int) -> bytes:
        style = self._rng.choice(("ustar", "ustar", "gnu", "gnu", "v7", "star"))
        block = self._plain(name, kind, link, size, style)
        if self._chance():
            offset = self._rng.choice((100, 108, 124, 136, 329, *([345] if style == "ustar" else [])))
            odd = self._rng.choice((b"-1", b"1_0\0", b"+7 \0", b"\xff" * 8, b"9\0", b"\0" * 8, b"  5\0"))
            block = block[:offset] + odd + block[offset + len(odd) :]
        return checksummed(block, self._rng)

    def _plain(self, name: bytes, kind: bytes, link: bytes, size: int, style: str) -> bytes:
        rng = self._rng
        block = name[:100].ljust(100, b"\0")
        block += self._number(rng.choice((0o644, 0o755, 0o4755, 0o100644)), 8)
        block += self._number(rng.choice((0, 1000)), 8) + self._number(rng.choice((0, 1000)), 8)
        block += self._number(size, 12) + self._number(1_700_000_000, 12) + b" " * 8
        block += kind + (link if kind in b"12" else b"")[:100].ljust(100, b"\0")
        if style == "v7":
            return block.ljust(BLOCK, b"\0")
        block += b"ustar  \0" if style == "gnu" else b"ustar\x0000"
        block += b"root".ljust(32, b"\0") + b"root".ljust(32, b"\0")
        block += self._number(1, 8) + self._number(3, 8) if kind in b"34" else bytes(16)
        if style == "star":
            prefix = rng.choice((b"", b"pre")).ljust(131, b"\0")
            return (block + prefix + b"%011o " % 1 + b"%011o " % 1).ljust(508, b"\0") + b"tar\0"
        if style == "gnu":
            times = b"%011o\0" % 1 + b"%011o\0" % 1 if rng.random() < 0.2 else b""
            return (block + times).ljust(BLOCK, b"\0")
        prefix = rng.choice((b"", b"", b"", b"pre/fix", b"P" * 155))
        return (block + prefix.ljust(155, b"\0")).ljust(BLOCK, b"\0")
