"""Having on disk what was written: what a power cut may not take."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)


def sync(path: Path) -> None:
    """Has a file's contents, or the names in a directory, on disk when this returns.

    Raises:
        OSError: They can't be written.
    """
    opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def sync_file_systems(*paths: Path) -> None:
    """Has all that was written to the file systems these lie on on disk when this returns, see syncfs(2).

    For many files at once: one wait instead of one each.

    Raises:
        OSError: It can't be written.
    """
    for path in {path.stat().st_dev: path for path in paths}.values():
        opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if _libc.syncfs(opened) != 0:
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number), str(path))
        finally:
            os.close(opened)
