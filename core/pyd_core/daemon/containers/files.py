"""Containers' file systems from outside, for copies, exports and builds, whether containers run or not."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from pathlib import Path

from pyd_core.daemon.cancellable import on_thread
from pyd_core.daemon.containers import subpaths
from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.containers.population import VolumePopulator
from pyd_core.daemon.containers.record import MountRecord, ProcessRecord
from pyd_core.daemon.containers.rootfs import RootMounter
from pyd_core.daemon.containers.volumes import VolumeClaims
from pyd_core.daemon.networks.files import FILE_NAMES, NetworkFiles
from pyd_core.errors import Conflict, KernelError, PydError, Refused
from pyd_core.linux.mount import MS_BIND, MS_RDONLY, MS_REC, MS_REMOUNT, mount, unmount
from pyd_core.linux.mount_namespace import in_own_mount_namespace
from pyd_core.linux.openat2 import RootDirectory, make_mountpoint
from pyd_core.linux.process import ProcessEntry
from pyd_core.linux.procfs import mount_id
from pyd_core.linux.userns import IdMap
from pyd_core.tasks import TaskOwner

PURPOSE = "looked into"
KERNEL_DIRECTORIES = ("/proc/", "/sys/", "/dev/")
END_TIMEOUT_S = 30.0
"""How long it may take to record the end of a container whose process is gone."""


class ContainerRoot(RootDirectory):
    """A container's root from outside.

    Args:
        path: Where it is.
        ids: The ids its files are seen with there; None where they are the container's own.
    """

    def __init__(self, path: str | os.PathLike[str], ids: IdMap | None = None) -> None:
        super().__init__(path)
        self.ids = ids


class ContainerFiles:
    """Opens the root file systems of containers.

    Args:
        tasks: Runs what must finish although a client has left.
        roots: Mounts root file systems.
        claims: Claims volumes.
        populator: Fills new volumes.
        network_files: Knows the files that the engine writes for containers.
    """

    def __init__(
        self,
        *,
        tasks: TaskOwner,
        roots: RootMounter,
        claims: VolumeClaims,
        populator: VolumePopulator,
        network_files: NetworkFiles,
    ) -> None:
        self._tasks = tasks
        self._roots = roots
        self._claims = claims
        self._populator = populator
        self._network_files = network_files

    @asynccontextmanager
    async def open_mounted(self, container: EngineContainer) -> AsyncIterator[ContainerRoot]:
        """Open the container's root with its volumes and binds: as its processes see it, or mounted where it has none.

        It stays the same until the block ends, also if the container ends, restarts or is removed meanwhile.

        Raises:
            Conflict: It is about to be removed.
            EngineError: A volume can't be mounted.
        """
        record = container.record
        async with AsyncExitStack() as held:
            root = None
            while root is None:
                container.ensure_not_removing(PURPOSE)
                main = record.main
                if record.running and main is not None:
                    root = self._open_running(container, main, held)
                    if root is None:
                        await _wait_for_recorded_end(container, main)
                    continue
                async with container.lock:  # else it may start or be removed before all is mounted
                    if not record.running or record.main is None:
                        root = await self._open_stopped(container, held)
            yield root

    def _open_running(
        self, container: EngineContainer, main: ProcessRecord, held: AsyncExitStack
    ) -> ContainerRoot | None:
        """Open the root of a running container by its process; None where that is gone.

        Its mount namespace and the volumes in it are kept that long; its layers stay mounted for its next start.
        """
        with ExitStack() as opening:
            try:
                process = opening.enter_context(ProcessEntry(main.pid))
                if process.start != main.started:
                    return None
                namespace = os.open("ns/mnt", os.O_RDONLY | os.O_CLOEXEC, dir_fd=process.descriptor)
                opening.callback(os.close, namespace)
                root = ContainerRoot(f"/proc/self/fd/{process.descriptor}/root", _id_map_of(process))
                opening.enter_context(root)
            except (ProcessLookupError, FileNotFoundError):
                return None
            kept = opening.pop_all()
        container.looks += 1
        held.callback(lambda: self._tasks.start(self._leave(container, object())))
        held.enter_context(kept)
        return root

    @asynccontextmanager
    async def open_layers(self, container: EngineContainer) -> AsyncIterator[ContainerRoot]:
        """Open the container's root as its layers make it, without volumes, binds or other mounts.

        Raises:
            Conflict: It is about to be removed.
        """
        container.ensure_not_removing(PURPOSE)
        async with AsyncExitStack() as held:
            async with container.lock:
                self._mount_layers(container, object(), held)
                root = held.enter_context(ContainerRoot(container.root, id_map_of(container)))
            yield root

    def _mount_layers(self, container: EngineContainer, look: object, held: AsyncExitStack) -> None:
        """Mount a container's layers, with its lock held, until nothing reads its files and it doesn't run."""
        container.ensure_not_removing(PURPOSE)
        container.looks += 1
        # A task of the engine's, because the client may leave now, which cancels this one.
        held.push_async_callback(lambda: asyncio.shield(self._tasks.start(self._leave(container, look))))
        self._roots.mount(container)

    async def _leave(self, container: EngineContainer, look: object) -> None:
        try:
            await self._claims.release(container, look)
        finally:
            container.looks -= 1
        async with container.lock:  # a start needs it mounted
            if not container.looks and not container.record.running:
                unmount(container.root)

    async def _open_stopped(self, container: EngineContainer, held: AsyncExitStack) -> ContainerRoot:
        look = object()
        self._mount_layers(container, look, held)
        await self._populator.populate(container)
        await self._claims.claim(container, look)
        written = self._written_files(container)
        if not container.record.mounts and not written:
            return held.enter_context(_open_root(container))
        assembled = in_own_mount_namespace(lambda: _open_with_mounts(container, written))
        root = await on_thread(lambda _: held.enter_context(assembled), late=lambda late: os.close(late.fd))
        return held.enter_context(root)

    def _written_files(self, container: EngineContainer) -> list[MountRecord]:
        """Return the files that the engine has written for a container."""
        try:
            bound = self._network_files.bound(container, None)
        except PydError:  # the container whose network it shares is gone
            return []
        return [
            MountRecord(kind="bind", target=target, source=source, recursive=False)
            for target, source in bound.items()
            if Path(source).exists()
        ]


async def _wait_for_recorded_end(container: EngineContainer, main: ProcessRecord) -> None:
    """Wait until the end of a process is recorded.

    Raises:
        Conflict: It isn't.
    """
    ended = container.next_end()
    if container.record.main is not main:
        return
    try:
        await asyncio.wait_for(ended, END_TIMEOUT_S)
    except TimeoutError:
        raise Conflict(f"container {container.id[:12]} is about to end") from None


def _open_root(container: EngineContainer) -> ContainerRoot:
    """Open the container's layers, with the working directory, which a container that never ran doesn't have yet."""
    root = ContainerRoot(container.root)
    workdir = container.record.config.working_dir
    if workdir and container.record.status == "created":
        with suppress(KernelError, OSError):
            os.close(root.make_directories(os.path.normpath(workdir)))
    return root


def _open_with_mounts(container: EngineContainer, written: list[MountRecord]) -> ContainerRoot:
    """Mount volumes and binds where the container's processes have them; missing sources are left out."""
    root = _open_root(container)
    try:
        for mount_record in (*written, *container.record.mounts):
            if mount_record.kind != "tmpfs":
                with suppress(KernelError, FileNotFoundError):
                    _mount_record(mount_record, subpaths.open_source(mount_record), root)
        if container.record.host.readonly_rootfs:
            mount("none", f"/proc/self/fd/{root.fd}", "", MS_REMOUNT | MS_BIND | MS_RDONLY)
    except BaseException:
        os.close(root.fd)
        raise
    return root


def _mount_record(record: MountRecord, source: int, root: RootDirectory) -> None:
    try:
        directory = stat.S_ISDIR(os.fstat(source).st_mode)
        point = make_mountpoint(root.fd, record.target, directory=directory)
        _mount(f"/proc/self/fd/{source}", point, MS_BIND | (MS_REC if record.recursive else 0))
    finally:
        os.close(source)
    if record.read_only:
        _mount("none", root.open(record.target, os.O_PATH), MS_REMOUNT | MS_BIND | MS_RDONLY)


def check_writable(root: RootDirectory, container: EngineContainer, directory: int) -> None:
    """Refuse to write to a directory that the container itself can't write to, by any path.

    Args:
        root: The container's root.
        container: The container.
        directory: A descriptor of the directory.

    Raises:
        Refused: It lies in a read-only volume, or outside of all volumes in a read-only root.
    """
    there = mount_id(directory)
    for mount_record in container.record.mounts:
        if mount_record.kind != "tmpfs":
            with suppress(KernelError):
                point = root.open(mount_record.target, os.O_PATH)
                same = mount_id(point) == there
                os.close(point)
                if same and mount_record.read_only:
                    raise Refused("mounted volume is marked read-only")
    if container.record.host.readonly_rootfs and there == mount_id(root.fd):
        raise Refused("container rootfs is marked read-only")


def devices(root: RootDirectory, container: EngineContainer) -> frozenset[int]:
    """Return the device numbers of its volumes and binds, which are copied along; not those of kernel file systems."""
    targets = [f"/etc/{name}" for name in FILE_NAMES]
    targets += [
        mount_record.target
        for mount_record in container.record.mounts
        if mount_record.kind != "tmpfs" and not f"{mount_record.source}/".startswith(KERNEL_DIRECTORIES)
    ]
    numbers: set[int] = set()
    for target in targets:
        with suppress(KernelError):
            fd = root.open(target, os.O_PATH | os.O_NOFOLLOW)
            numbers.add(os.fstat(fd).st_dev)
            os.close(fd)
    return frozenset(numbers)


def _mount(source: str, point: int, flags: int) -> None:
    try:
        mount(source, f"/proc/self/fd/{point}", "", flags)
    finally:
        os.close(point)


def id_map_of(container: EngineContainer) -> IdMap | None:
    """Return the map of ids between its files and the host while it runs; None where they are the same."""
    main = container.record.main
    if not container.record.running or main is None:
        return None
    try:
        with ProcessEntry(main.pid) as process:
            return _id_map_of(process) if process.start == main.started else None
    except OSError:
        return None


def _id_map_of(process: ProcessEntry) -> IdMap | None:
    """Return the map of ids of an opened process; None where they are the host's.

    Raises:
        OSError: It is gone.
    """
    id_map = IdMap.from_proc(Path(f"/proc/self/fd/{process.descriptor}"))
    return None if id_map.plain else id_map
