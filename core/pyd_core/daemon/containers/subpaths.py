"""Mounts of a part of a volume: `--mount type=volume,…,volume-subpath=DIR`.

Containers can replace a volume's directories with links at any moment. So the part is opened inside the volume, and
bound to a path of the engine's while the runtime makes the container's mounts.
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


def open_source(mount_record: MountRecord) -> int:
    """Open a mount's source, without following links out of a volume.

    Raises:
        KernelError: The volume has no such part.
        OSError: It isn't there.
    """
    if not mount_record.subpath:
        return os.open(mount_record.source, os.O_PATH | os.O_CLOEXEC)
    with RootDirectory(mount_record.source) as volume:
        return open_beneath(volume.fd, posixpath.normpath(mount_record.subpath), os.O_PATH)


def bind_parts(directory: Path, key: str, mounts: Sequence[MountRecord]) -> dict[str, str]:
    """Bind the parts of volumes to paths in a directory; return the paths by the mounts' targets.

    Raises:
        EngineError: A volume has no such part.
    """
    paths: dict[str, str] = {}
    for number, mount_record in enumerate(mounts):
        if not mount_record.subpath:
            continue
        try:
            fd = open_source(mount_record)
        except KernelError as error:
            if error.errno == errno.EXDEV:
                raise EngineError(
                    f"path concatenation escapes the base directory, base: {mount_record.source}, "
                    f"subpath: {mount_record.subpath}"
                ) from error
            path = posixpath.join(mount_record.source, posixpath.normpath(mount_record.subpath))
            raise EngineError(
                f"cannot access path {path}: lstat {path}: {os.strerror(error.errno).lower()}", status=404
            ) from error
        try:
            target = directory / f"{key[:12]}-{number}"
            if stat.S_ISDIR(os.fstat(fd).st_mode):
                target.mkdir(exist_ok=True)
            else:
                target.touch()
            mount(f"/proc/self/fd/{fd}", str(target), flags=MS_BIND | MS_REC)
        finally:
            os.close(fd)
        paths[mount_record.target] = str(target)
    return paths


def release(directory: Path, key: str = "") -> None:
    """Remove these paths: a container's, or all that a dead engine left."""
    for target in directory.glob(f"{key[:12]}*"):
        while unmount(target):
            pass
        # Never recursively: were the volume still mounted there, its contents would go.
        with contextlib.suppress(OSError):
            target.rmdir() if target.is_dir() else target.unlink()
