"""A hint to ext4: that the directories in one have nothing to do with each other."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
from pathlib import Path

_GET_FLAGS, _SET_FLAGS = 0x80086601, 0x40086602
"""FS_IOC_GETFLAGS and FS_IOC_SETFLAGS, ioctl_iflags(2)."""
_TOPDIR = 0x20000


def spread(directory: Path) -> None:
    """Has ext4 make each new directory in this one in another part of the disk, as `chattr +T` does.

    Otherwise all are made near their parent, where inodes that were deleted in the last minutes lie: ext4 doesn't use
    those again and passes over them one at a time, so that an unpack after a large removal takes several times as long.
    Other file systems have no such hint and need none.
    """
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):
            (flags,) = struct.unpack("l", fcntl.ioctl(opened, _GET_FLAGS, bytes(struct.calcsize("l"))))
            fcntl.ioctl(opened, _SET_FLAGS, struct.pack("l", flags | _TOPDIR))
    finally:
        os.close(opened)
