"""The overlay file system: mounting layers, and reading what its upper directory records.

The kernel's own page: Documentation/filesystems/overlayfs.rst.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Sequence
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)

MAX_LAYERS = 500
"""What the kernel stacks at most (`OVL_MAX_STACK`)."""

_RDONLY, _NOSUID, _NODEV, _NOEXEC = 1, 2, 4, 8


def mount(workshop: int, lower: Sequence[str], target: str, *, writable: bool) -> None:
    """Mounts layers in a directory of their own, where `upper` and `work` lie too if changes are to be kept there.

    Layers are named by short symlinks next to them: the option string of mount(2) may take a page at most, and one of
    fsconfig(2) 256 bytes, which a dozen paths of an engine's store exceed. Symlinks also free paths of the meaning
    that colons and commas have there. Device nodes in the layers are dead: on version 2 cgroups nothing else would
    stop a session from opening the host's disk through one.

    Args:
        workshop: The directory; it becomes this process's working directory. It must be attached somewhere.
        lower: Paths of the layers, the topmost first.
        target: Where in the directory to mount; must be there.
        writable: Whether there are `upper` and `work`.

    Raises:
        OSError: The kernel's refusal.
    """
    os.fchdir(workshop)
    names = []
    for number, path in enumerate(lower):
        name = f"{number:x}"
        if not os.path.lexists(name):
            Path(name).symlink_to(path)
        names.append(name)
    options = f"lowerdir={':'.join(names)}"
    flags = _NODEV
    if writable:
        # Followed, never written: a renamed directory is copied, so that the upper directory shows all changes.
        options += ",upperdir=upper,workdir=work,redirect_dir=follow"
    else:
        flags |= _RDONLY | _NOSUID | _NOEXEC
    result = _libc.mount(b"overlay", target.encode(), b"overlay", ctypes.c_ulong(flags), options.encode())
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), f"mount overlay of {len(names)} layers")


def is_whiteout(entry: os.stat_result) -> bool:
    """Return whether an entry of an upper directory marks a deleted name."""
    return stat.S_ISCHR(entry.st_mode) and entry.st_rdev == 0


def is_opaque(directory: int) -> bool:
    """Return whether a directory of an upper directory hides the directories of lower layers."""
    try:
        return os.getxattr(directory, "trusted.overlay.opaque") == b"y"
    except OSError:
        return False
