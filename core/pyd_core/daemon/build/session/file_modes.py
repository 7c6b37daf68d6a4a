"""Go's file modes, which clients send, as modes of stat(2) and back."""

from __future__ import annotations

import stat
from functools import lru_cache

_TYPES = {
    0: stat.S_IFREG,
    1 << 31: stat.S_IFDIR,
    1 << 27: stat.S_IFLNK,
    1 << 26: stat.S_IFBLK,
    1 << 26 | 1 << 21: stat.S_IFCHR,
    1 << 25: stat.S_IFIFO,
    1 << 24: stat.S_IFSOCK,
}
_GO_TYPES = {mode: go for go, mode in _TYPES.items()}
_TYPE_BITS = 1 << 31 | 1 << 27 | 1 << 26 | 1 << 25 | 1 << 24 | 1 << 21 | 1 << 19
_SPECIAL = ((1 << 23, stat.S_ISUID), (1 << 22, stat.S_ISGID), (1 << 20, stat.S_ISVTX))


@lru_cache(maxsize=256)
def from_go(mode: int) -> int:
    """Return a mode of Go's `os.FileMode` as stat(2) has it; 0 for a type that Linux hasn't."""
    kind = _TYPES.get(mode & _TYPE_BITS, 0)
    if not kind:
        return 0
    return kind | mode & 0o777 | sum(bit for go, bit in _SPECIAL if mode & go)


@lru_cache(maxsize=256)
def to_go(mode: int) -> int:
    """Return a mode of stat(2) as Go's `os.FileMode`."""
    return _GO_TYPES[stat.S_IFMT(mode)] | mode & 0o777 | sum(go for go, bit in _SPECIAL if mode & bit)
