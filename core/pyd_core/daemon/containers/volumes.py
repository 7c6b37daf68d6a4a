"""A container's volumes: claimed for it, filled with what its image has there, and given back."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pyd_core.daemon.abandon import on_thread
from pyd_core.daemon.containers.container import Container
from pyd_core.daemon.containers.record import MountRecord
from pyd_core.daemon.remapping import Remapping
from pyd_core.errors import KernelError
from pyd_core.linux.beneath import RootDirectory
from pyd_core.linux.userns import as_root_of

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Daemon


async def fill(
    daemon: Daemon, container: Container, holder: object, remapping: Remapping | None = None
) -> dict[str, str]:
    """Readies its volumes; an empty one gets what the image has there. The container's file system is mounted.

    Args:
        daemon: The engine.
        container: The container.
        holder: Whose they are until `release`, also where this fails: the container's id, or a look into it.
        remapping: Whose ids its processes have, where those are others than the host's.

    Returns:
        Where such processes find each volume, by its name.
    """
    found: dict[str, str] = {}
    for each in container.record.mounts:
        if each.volume:
            if each.volume not in daemon.volumes:
                daemon.volumes.create(each.volume)
            async with daemon.volumes.claimed(each.volume, holder) as place:
                shown = place if remapping is None else remapping.volume(place)
                work = partial(_copy_up, container.root, each.target, shown)
                if remapping is not None:
                    found[each.volume] = str(shown)
                    work = partial(as_root_of, remapping.ids, work)
                if each.copy:
                    await _to_its_end(work)
            _tell(daemon, container, "mount", each)
    return found


def keep(daemon: Daemon, container: Container) -> None:
    """Claims the volumes of a container that runs since before this engine."""
    for each in container.record.mounts:
        if each.volume:
            daemon.volumes.keep(each.volume, container.id)


async def release(daemon: Daemon, container: Container, holder: object) -> None:
    """Gives its volumes back; safe to call again."""
    mounted = [each for each in container.record.mounts if each.volume]
    held = {name for name in {each.volume for each in mounted} if await daemon.volumes.release(name, holder)}
    for each in mounted:
        if each.volume in held:
            _tell(daemon, container, "unmount", each)


def _tell(daemon: Daemon, container: Container, action: str, mounted: MountRecord) -> None:
    told = {"container": container.id, "driver": "local"}
    if action == "mount":
        writable = "false" if mounted.read_only else "true"
        told |= {"destination": mounted.target, "propagation": "", "read/write": writable}
    daemon.events.emit("volume", action, mounted.volume, told)


async def _to_its_end(work: Callable[[], None]) -> None:
    """Runs work on a thread, which nobody else may come between though whoever wanted it is cancelled."""
    await on_thread(lambda _: work())


def _copy_up(root: Path, target: str, source: Path) -> None:
    """Fills an empty volume with what the image has where it is mounted, owner and mode of the directory included."""
    if any(source.iterdir()):
        return
    with RootDirectory(root) as inside:
        try:
            fd = inside.open(target, os.O_PATH | os.O_DIRECTORY)
        except KernelError:
            return
        try:
            where = Path(f"/proc/self/fd/{fd}").resolve()
            status = os.fstat(fd)
            os.chown(source, status.st_uid, status.st_gid)
            source.chmod(stat.S_IMODE(status.st_mode))
            _copy_tree(where, source)
        finally:
            os.close(fd)


def _copy_tree(source: Path, target: Path) -> None:
    """Copies what a directory holds, owners and links as they are."""
    for entry in os.scandir(source):
        to = target / entry.name
        status = entry.stat(follow_symlinks=False)
        if entry.is_symlink():
            to.symlink_to(Path(entry.path).readlink())
        elif entry.is_dir():
            to.mkdir()
            _copy_tree(Path(entry.path), to)
        elif entry.is_file():
            shutil.copyfile(entry.path, to)
        else:
            os.mknod(to, status.st_mode, status.st_rdev)
        os.chown(to, status.st_uid, status.st_gid, follow_symlinks=False)
        if not entry.is_symlink():
            to.chmod(stat.S_IMODE(status.st_mode))
        os.utime(to, ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)
