"""Decoder of tar headers: from a stream of blocks to entries, independent of how the bytes are read.

Docker Engine reads with Go's archive/tar, and so does this module: an image must have the same files in both. Archives
on which GNU tar, libarchive and Python contradict Go are refused, unless common archivers write them. Otherwise other
tools would list different files than the ones that are unpacked.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from pyd_core.tar import header, pax, sparse
from pyd_core.tar.disputes import Disputes
from pyd_core.tar.entry import BLOCK_BYTES, HEADER_ONLY, MAX_HEADER_BYTES, TarEntry, damaged, truncated
from pyd_core.tar.header import text

_ZEROS = bytes(BLOCK_BYTES)
_EXTENDED = frozenset(b"xXgLK")
_LINKS = frozenset({b"1", b"2"})

Steps = Generator[int, bytes, TarEntry | None]


class _Pending:
    """Extended headers of the member that follows them."""

    def __init__(self) -> None:
        self._headers: list[tuple[bytes, bytes]] = []
        """Type and body of each."""
        self._continued: set[bytes] = set()
        """Types of long names that continue after their end, where GNU tar and Python read on to a NUL."""
        self.is_solaris = False
        """Whether a header has the type of Solaris, which Go refuses in the end."""

    def __bool__(self) -> bool:
        return any(kind != b"g" for kind, _ in self._headers)

    def add(self, kind: bytes, padded: bytes, size: int) -> None:
        """Add a header whose body is the first `size` bytes of the padded data."""
        body = padded[:size]
        if kind == b"X":
            kind, self.is_solaris = b"x", True
        if kind in {b"L", b"K"} and text(padded) != text(body):
            self._continued.add(kind)
        if kind != b"g":
            self._headers.append((kind, body))
            return
        pax.records(body)  # Go ignores what a global header says, but refuses a malformed one
        if self:
            self._headers.append((kind, body))

    def apply(self, entry: TarEntry) -> dict[bytes, bytes]:
        """Apply the extended headers to an entry, and return its records, of which a long name is one.

        Raises:
            InvalidInput: Readers disagree on the combined meaning of the headers.
        """
        if b"L" in self._continued or (self._continued and entry.kind in _LINKS):
            raise damaged("a long name continues after its end")
        kinds = [kind for kind, _ in self._headers]
        if len(set(kinds)) == len(kinds) and b"g" not in kinds:
            return _apply_headers(entry, self._headers)
        # Go forgets everything before a global header, and all but the last header of a type. libarchive and GNU tar
        # merge them, and in Python the first one counts.
        after_global = len(kinds) - kinds[::-1].index(b"g") if b"g" in kinds else 0
        own = [(kind, body) for kind, body in self._headers if kind != b"g"]
        views = (list(dict(self._headers[after_global:]).items()), own, own[::-1])
        entries = [replace(entry, xattrs={}) for _ in views]
        for view, copy in zip(views, entries, strict=True):
            _apply_headers(copy, view, lenient=True)
            if copy.kind not in _LINKS:
                copy.link = b""
            if _plain_kind(copy, old_sparse=False) in HEADER_ONLY:
                copy.size = 0
        if any(copy != entries[0] for copy in entries):
            raise damaged("a member's extended headers contradict each other")
        return _apply_headers(entry, views[0])


def _apply_headers(entry: TarEntry, headers: list[tuple[bytes, bytes]], *, lenient: bool = False) -> dict[bytes, bytes]:
    records: dict[bytes, bytes] = {}
    long: dict[bytes, bytes] = {}
    for kind, body in headers:
        if kind == b"x":
            records |= pax.records(body)
        else:
            long[kind] = text(body)
    pax.apply(entry, records, lenient=lenient)
    if entry.kind not in _LINKS:
        long.pop(b"K", None)
    for kind, key in ((b"L", b"path"), (b"K", b"linkpath")):
        if long.get(kind) == b"" and (entry.name if kind == b"L" else entry.link):
            raise damaged("a member's long name is empty")  # Go ignores it, and others read an empty name
        if long.get(kind) and (records.get(key) or long[kind]) != long[kind]:
            raise damaged("a member has two long names")
    if long.get(b"L"):
        records[b"path"] = entry.name = long[b"L"]
    entry.link = long.get(b"K") or entry.link
    return records


class HeaderDecoder:
    """Decodes the headers of one archive."""

    def __init__(self) -> None:
        self._disputes = Disputes()

    def next_entry(self) -> Steps:
        """Read the headers up to the next entry. It yields the number of bytes it needs, and is sent them.

        Fewer bytes than requested mean that the stream has ended. Afterwards the stream is at the entry's stored bytes.

        Returns:
            The entry, or None at the archive's end.

        Raises:
            InvalidInput: It is not a tar archive, or it is damaged.
        """
        pending = _Pending()
        while True:
            block = yield BLOCK_BYTES
            if not block or block == _ZEROS:
                # An archive ends in two blocks of zeros; one block or none is accepted too.
                if pending or (block and len((yield BLOCK_BYTES)) % BLOCK_BYTES):
                    raise truncated()
                return None
            if len(block) != BLOCK_BYTES:
                raise truncated()
            entry = header.read(block)
            if entry.kind[0] in _EXTENDED:
                header.check_number(block[header.SIZE])
                if entry.size > MAX_HEADER_BYTES:
                    raise damaged("an extended header is too long")
                body = yield -(-entry.size // BLOCK_BYTES) * BLOCK_BYTES
                if len(body) < entry.size:
                    raise truncated()
                pending.add(entry.kind, body, entry.size)
                continue
            if entry.kind == b"V" and not entry.size:  # a volume label, which GNU tar and libarchive skip
                self._disputes.refuse()
                continue
            break
        records = pending.apply(entry)
        header.check_numbers(block, records)
        is_renamed = bool(records.get(b"path") or records.get(b"GNU.sparse.name"))
        if not is_renamed:
            header.check_prefix(block)
        old_sparse = entry.kind == b"S" and header.is_gnu(block)
        is_refused_by_go = pending.is_solaris or old_sparse or entry.kind == b"7"
        entry.kind = _plain_kind(entry, old_sparse=old_sparse)
        entry.stored_bytes = 0 if entry.kind in HEADER_ONLY else entry.size
        self._disputes.check(
            entry,
            has_prefix_of_old_go=not is_renamed and header.has_prefix_of_old_go(block),
            is_refused_by_go=is_refused_by_go,
        )
        fragments = yield from (sparse.old_map(entry, block, records) if old_sparse else sparse.pax_map(entry, records))
        if fragments is not None:
            if entry.kind != b"0" or entry.name.endswith(b"/"):
                raise damaged("a member that is no file is sparse")
            entry.fragments = sparse.check(entry, fragments)
        return entry


def _plain_kind(entry: TarEntry, *, old_sparse: bool) -> bytes:
    if entry.kind == b"\0":  # in version 7 of Unix a directory is a file whose name ends with a slash
        return b"5" if entry.name.endswith(b"/") else b"0"
    return b"0" if entry.kind == b"7" or old_sparse else entry.kind
