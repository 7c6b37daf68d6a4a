"""The initial contents of volumes: the image's files at their mount points.

As in Docker Engine, a volume is filled once, at a container's creation, and only if it is empty then. One that no other
container uses is filled under another name and renamed atomically. One that another container uses is filled in place,
through descriptors only, because that container may create links in it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from pyd_core.daemon.cancellable import on_thread
from pyd_core.daemon.containers.collection import ContainerStore
from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.containers.record import MountRecord
from pyd_core.daemon.containers.rootfs import RootMounter
from pyd_core.daemon.images.tar_writer import TarWriter
from pyd_core.daemon.userns import Remapping, remapping_of
from pyd_core.daemon.volumes import STAGING, VolumeStore
from pyd_core.errors import KernelError
from pyd_core.linux.mount import unmount
from pyd_core.linux.openat2 import RootDirectory, open_beneath
from pyd_core.linux.tree import remove_tree
from pyd_core.linux.userns import IdMap
from pyd_core.tar.unpack import Unpacker


class VolumePopulator:
    """Fills new volumes from images."""

    def __init__(
        self, *, containers: ContainerStore, volumes: VolumeStore, roots: RootMounter, remapping: Remapping | None
    ) -> None:
        self._containers = containers
        self._volumes = volumes
        self._roots = roots
        self._remapping = remapping

    async def populate_at_creation(self, container: EngineContainer) -> None:
        """Fill a new container's volumes; those that are mounted by options wait for their first use.

        Raises:
            EngineError: A volume can't be filled.
        """
        pending = [mount for mount in _pending(container) if not self._volumes.find(mount.volume).options]
        if not pending:
            return
        async with container.lock:
            try:
                await self._populate(container, pending)
            finally:
                if not container.looks and not container.record.running:
                    unmount(container.root)

    async def populate(self, container: EngineContainer) -> None:
        """Fill what hasn't been filled yet. The caller holds the container's lock; its layers are mounted afterwards.

        Raises:
            EngineError: A volume can't be mounted or filled.
        """
        await self._populate(container, _pending(container))

    async def _populate(self, container: EngineContainer, pending: list[MountRecord]) -> None:
        if not pending:
            return
        record, remapping = container.record, remapping_of(self._remapping, container.record.host)
        self._roots.mount(container)
        for pending_mount in pending:
            look = object()
            if pending_mount.volume not in self._volumes:
                self._volumes.create(pending_mount.volume)
            try:
                async with self._volumes.claimed(pending_mount.volume, look) as directory:
                    apart = bool(self._volumes.find(pending_mount.volume).options)
                    # On a file system of their own, files have the host's ids.
                    ids = remapping.ids if remapping is not None and apart else None
                    staged = not apart and self._volumes.is_sole_holder(pending_mount.volume, look)
                    if pending_mount.subpath:
                        await on_thread(
                            partial(
                                _fill_part,
                                container.root,
                                pending_mount.target,
                                directory,
                                pending_mount.subpath,
                                ids=ids,
                            )
                        )
                    else:
                        await on_thread(
                            partial(_fill, container.root, pending_mount.target, directory, staged=staged, ids=ids)
                        )
            finally:
                await self._volumes.release(pending_mount.volume, look)
            record.mounts = [
                msgspec.structs.replace(mount, copy=False) if mount is pending_mount else mount
                for mount in record.mounts
            ]
            self._containers.save(container)


def _pending(container: EngineContainer) -> list[MountRecord]:
    return [mount for mount in container.record.mounts if mount.copy and mount.volume]


def _fill(
    root: Path, target: str, directory: Path, check_cancelled: Callable[[], None], *, staged: bool, ids: IdMap | None
) -> None:
    """Fill an empty volume with the image's files, and set the owner and mode of its directory."""
    check_cancelled()
    if any(directory.iterdir()):
        return
    with RootDirectory(root) as inside:
        try:
            source = inside.open(target, os.O_PATH | os.O_DIRECTORY)
        except KernelError:
            return
    try:
        if not staged:
            copy_tree(source, directory, ids=ids)
            return
        staging = directory.with_name(STAGING)
        with contextlib.suppress(FileNotFoundError):
            remove_tree(staging)
        staging.mkdir(mode=0o700)
        try:
            copy_tree(source, staging, ids=ids)
            staging.rename(directory)
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:  # a process of the host has written to it
                raise
        finally:
            remove_tree(staging, ignore_errors=True)
    finally:
        os.close(source)


def _fill_part(
    root: Path, target: str, volume: Path, part: str, check_cancelled: Callable[[], None], *, ids: IdMap | None
) -> None:
    """Fill an empty directory of a volume, in place; the start refuses a missing one."""
    check_cancelled()
    with RootDirectory(root) as inside, RootDirectory(volume) as outside, contextlib.ExitStack() as opened:
        try:
            source = inside.open(target, os.O_PATH | os.O_DIRECTORY)
            opened.callback(os.close, source)
            directory = open_beneath(outside.fd, posixpath.normpath(part), os.O_RDONLY | os.O_DIRECTORY)
            opened.callback(os.close, directory)
        except KernelError:
            return
        if not os.listdir(directory):  # noqa: PTH208 - of a descriptor
            copy_tree(source, Path(f"/proc/self/fd/{directory}"), ids=ids)


def copy_tree(source: int, target: Path, *, ids: IdMap | None = None) -> None:
    """Copy a directory's contents to another one, as an archive that is unpacked while it is packed.

    Args:
        source: A descriptor of the directory.
        target: The target directory; it gets owner, mode and time of the source.
        ids: The map of ids of the owners; None where they are the host's.

    Raises:
        OSError: The source can't be read, or the disk is full.
        InvalidInput: Something can't be written.
    """
    reading, writing = os.pipe()
    failures: list[OSError] = []

    def pack() -> None:
        try:
            with contextlib.suppress(BrokenPipeError), os.fdopen(writing, "wb") as out:
                packer = TarWriter(out)
                packer.add_tree(f"/proc/self/fd/{source}", "")
                packer.close()
        except OSError as error:
            failures.append(error)

    packing = threading.Thread(target=pack, name="pack")
    with os.fdopen(reading, "rb") as packed:
        packing.start()
        try:
            Unpacker(target, layer=False, ids=ids).run(packed)
        finally:
            packed.close()  # ends the packing thread too
            packing.join()
    if failures:
        raise failures[0]
