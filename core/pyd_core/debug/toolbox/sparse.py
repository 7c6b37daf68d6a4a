"""Zeros in files that take no room on disk.

Programs for machines whose kernels may have pages of 64 KiB (aarch64) keep that much between their segments, patchelf
adds segments at the same distance, and all of it is zeros: a third of such a toolbox.
"""

from __future__ import annotations

import stat
from itertools import groupby
from pathlib import Path

BLOCK = 4096
"""Bytes of a file system's block, usually."""


def dig(tree: Path) -> None:
    """Turn each block of zeros in a directory's files into a hole; what is read from them stays the same."""
    for path in tree.rglob("*"):
        status = path.lstat()
        # One that has holes already has been here: another name of the same file.
        if stat.S_ISREG(status.st_mode) and BLOCK < status.st_size <= status.st_blocks * 512:
            _dig_one(path)


def _dig_one(path: Path) -> None:
    data = path.read_bytes()
    blocks = ((start, data[start : start + BLOCK]) for start in range(0, len(data), BLOCK))
    runs = [(zeros, [*run]) for zeros, run in groupby(blocks, key=lambda block: not block[1].strip(b"\0"))]
    if not any(zeros for zeros, _ in runs):
        return
    with path.open("r+b") as file:
        file.truncate(0)
        for zeros, run in runs:
            if not zeros:
                file.seek(run[0][0])
                file.write(b"".join(block for _, block in run))
        file.truncate(len(data))
