"""Extended headers: records of POSIX.1-2001 pax, `LENGTH KEY=VALUE` and a line feed."""

from __future__ import annotations

import re

from pyd_core.tar.entry import HEADER_ONLY, TarEntry, damaged

_INTEGER = re.compile(rb"[+-]?[0-9]{1,19}")
_DIGIT = re.compile(rb"[0-9]")
_TIME = re.compile(rb"([+-]?[0-9]{1,19})(?:\.([0-9]*))?")
_MAX_INTEGER = (1 << 63) - 1
_XATTR = b"SCHILY.xattr."
_NAMES = frozenset({b"path", b"linkpath", b"uname", b"gname"})
_NUMBERS = frozenset({b"size", b"uid", b"gid"})
_SPARSE_PAIR = (b"GNU.sparse.offset", b"GNU.sparse.numbytes")
SPARSE_MAP = b"GNU.sparse.map"


def records(body: bytes) -> dict[bytes, bytes]:
    """Read an extended header. The pairs of GNU's sparse format 0.0 become one map, as in version 0.1.

    Raises:
        InvalidInput: A record is malformed.
    """
    pairs: list[bytes] = []
    values: dict[bytes, bytes] = {}
    offset = 0
    while offset < len(body):
        space = body.find(b" ", offset)
        length = integer(body[offset:space]) if space > offset else 0
        record = body[space + 1 : offset + length]
        if not 5 <= length <= len(body) - offset or offset + length <= space + 1 or not record.endswith(b"\n"):
            raise damaged("a pax header has a malformed record")
        key, equals, value = record[:-1].partition(b"=")
        if not equals or not key or b"\0" in (value if key in _NAMES else key):
            raise damaged("a pax header has a malformed record")
        if key in _SPARSE_PAIR:
            if key != _SPARSE_PAIR[len(pairs) % 2] or b"," in value:
                raise damaged("a sparse member's map is malformed")
            pairs.append(value)
        else:
            values[key] = value
        offset += length
    if pairs:
        values[SPARSE_MAP] = b",".join(pairs)
    return values


def integer(value: bytes) -> int:
    """Read a decimal number of at most 63 bits.

    Raises:
        InvalidInput: It is not a number.
    """
    if not _INTEGER.fullmatch(value) or abs(number := int(value)) > _MAX_INTEGER:
        raise damaged("a pax header has no number where one belongs")
    return number


def _time_ns(value: bytes) -> int:
    match = _TIME.fullmatch(value)
    if match is None:
        raise damaged("a pax header has no time where one belongs")
    fraction = int(((match[2] or b"") + b"000000000")[:9])
    return int(match[1]) * 1_000_000_000 + (-fraction if value.startswith(b"-") else fraction)


def _lenient(entry: TarEntry, values: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Return values as readers other than Go read them: 0 for a malformed number.

    The time and the size of a member without data are left out, as they can't hide any content.
    """
    ignored = {b"mtime", b"size"} if entry.kind in HEADER_ONLY else {b"mtime"}
    zeros = {
        key: b"0"
        for key in (b"uid", b"gid", b"size")
        if values.get(key) and not _INTEGER.fullmatch(values[key])
        if key != b"size" or not _DIGIT.search(values[key])  # Python reads ` 1` and `1_0` as numbers
    }
    return {key: value for key, value in (values | zeros).items() if key not in ignored}


def apply(entry: TarEntry, values: dict[bytes, bytes], *, lenient: bool = False) -> None:
    """Replace a header's fields with the values of an extended header.

    An empty value leaves a field unchanged. An empty number is refused, since readers disagree on it.

    Args:
        entry: The member.
        values: The records of the extended header.
        lenient: Whether the header may be one that Go forgets, so that a malformed number needn't matter.

    Raises:
        InvalidInput: A value is malformed.
    """
    for key, value in (_lenient(entry, values) if lenient else values).items():
        if not value:
            is_ignored = key == b"size" and entry.kind in HEADER_ONLY
            if key in _NUMBERS and getattr(entry, key.decode()) and not is_ignored:
                raise damaged("a pax header has no number where one belongs")
            continue
        match key:
            case b"path":
                entry.name = value
            case b"linkpath":
                entry.link = value
            case b"size":
                entry.size = integer(value)
            case b"uid":
                entry.uid = integer(value)
            case b"gid":
                entry.gid = integer(value)
            case b"mtime":
                entry.mtime_ns = _time_ns(value)
            case _ if key.startswith(_XATTR):
                entry.xattrs[key[len(_XATTR) :].decode("utf-8", "surrogateescape")] = value
            case _:
                pass
    if entry.size < 0:
        raise damaged("a member has a negative size")
