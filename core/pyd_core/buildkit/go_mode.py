"""File modes as Go counts them (package `os`, type `FileMode`), which BuildKit sends in `fsutil.types.Stat`."""

from __future__ import annotations

import stat

DIRECTORY = 1 << 31
SYMLINK = 1 << 27
DEVICE = 1 << 26
NAMED_PIPE = 1 << 25
SOCKET = 1 << 24
SETUID = 1 << 23
SETGID = 1 << 22
CHARACTER_DEVICE = 1 << 21
STICKY = 1 << 20
TYPE_BITS = DIRECTORY | SYMLINK | DEVICE | NAMED_PIPE | SOCKET | CHARACTER_DEVICE
"""Bits that aren't set for a regular file."""

_TYPES = {
    stat.S_IFREG: 0,
    stat.S_IFDIR: DIRECTORY,
    stat.S_IFLNK: SYMLINK,
    stat.S_IFBLK: DEVICE,
    stat.S_IFCHR: DEVICE | CHARACTER_DEVICE,
    stat.S_IFIFO: NAMED_PIPE,
    stat.S_IFSOCK: SOCKET,
}
_SPECIAL = ((stat.S_ISUID, SETUID), (stat.S_ISGID, SETGID), (stat.S_ISVTX, STICKY))


def to_go_mode(mode: int) -> int:
    """Translate a mode of stat(2)."""
    special = sum(go_bit for bit, go_bit in _SPECIAL if mode & bit) if mode & 0o7000 else 0
    return _TYPES[stat.S_IFMT(mode)] | special | (mode & 0o777)


def permissions(go_mode: int) -> int:
    """Return the permission bits of chmod(2), setuid, setgid and sticky included."""
    return (go_mode & 0o777) | sum(bit for bit, go_bit in _SPECIAL if go_mode & go_bit)
