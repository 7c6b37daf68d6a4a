"""A part of a volume as a mount, `--mount type=volume,…,volume-subpath=DIR`.

What is in a volume is the work of containers, which may put a link in the way at any moment. So the part is opened
inside the volume, and bound to a place of the engine's for as long as the runtime makes the container's mounts.
"""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
import stat
from collections.abc import Sequence
from pathlib import Path

from pyd_core.daemon.containers.record import MountRecord
from pyd_core.errors import EngineError, KernelError
from pyd_core.linux.mount import MS_BIND, MS_REC, mount, unmount
from pyd_core.linux.openat2 import RootDirectory, open_beneath


def opened(each: MountRecord) -> int:
    """Opens what of the machine is mounted, a link in the volume never followed out of it.

    Raises:
        KernelError: The volume has no such part.
        OSError: It isn't there.
    """
    if not each.subpath:
        return os.open(each.source, os.O_PATH | os.O_CLOEXEC)
    with RootDirectory(each.source) as volume:
        return open_beneath(volume.fd, posixpath.normpath(each.subpath), os.O_PATH)


def place(directory: Path, key: str, mounts: Sequence[MountRecord]) -> dict[str, str]:
    """Binds what a container sees of its volumes to places in a directory; returns those, by the mounts' targets.

    Raises:
        EngineError: A volume has no such part.
    """
    found: dict[str, str] = {}
    for number, each in enumerate(mounts):
        if not each.subpath:
            continue
        try:
            fd = opened(each)
        except KernelError as error:
            if error.errno == errno.EXDEV:
                raise EngineError(
                    f"path concatenation escapes the base directory, base: {each.source}, subpath: {each.subpath}"
                ) from error
            path = posixpath.join(each.source, posixpath.normpath(each.subpath))
            raise EngineError(
                f"cannot access path {path}: lstat {path}: {os.strerror(error.errno).lower()}", status=404
            ) from error
        try:
            made = directory / f"{key[:12]}-{number}"
            if stat.S_ISDIR(os.fstat(fd).st_mode):
                made.mkdir(exist_ok=True)
            else:
                made.touch()
            mount(f"/proc/self/fd/{fd}", str(made), flags=MS_BIND | MS_REC)
        finally:
            os.close(fd)
        found[each.target] = str(made)
    return found


def release(directory: Path, key: str = "") -> None:
    """Takes places away again, a container's or those that an engine left which died meanwhile."""
    for made in directory.glob(f"{key[:12]}*"):
        while unmount(made):
            pass
        # Never with what is in it: were the volume still mounted there, that would be its contents.
        with contextlib.suppress(OSError):
            made.rmdir() if made.is_dir() else made.unlink()
