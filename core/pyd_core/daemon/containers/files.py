"""A container's file system from outside, running or not: opened for copying in and out, export and builds."""

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
from pyd_core.daemon.networks.files import NAMES, NetworkFiles
from pyd_core.errors import Conflict, KernelError, PydError, Refused
from pyd_core.linux.mount import MS_BIND, MS_RDONLY, MS_REC, MS_REMOUNT, mount, unmount
from pyd_core.linux.mount_namespace import in_own_mount_namespace
from pyd_core.linux.openat2 import RootDirectory, make_mountpoint
from pyd_core.linux.process import ProcessEntry
from pyd_core.linux.procfs import mount_id
from pyd_core.linux.userns import IdMap
from pyd_core.tasks import TaskOwner

READ = "looked into"
KERNELS = ("/proc/", "/sys/", "/dev/")
END_TIMEOUT_S = 30.0
"""How long the end of a container whose process is gone may take to be noted."""


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
        tasks: Runs what must end although a client has gone.
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
    async def opened(self, container: EngineContainer) -> AsyncIterator[ContainerRoot]:
        """Gives the container's root with its volumes and binds: as its processes see it while it runs, else mounted.

        It stays what it is until the block ends, also if the container ends, starts again or is removed meanwhile.

        Raises:
            Conflict: It is about to be removed.
            EngineError: A volume can't be mounted.
        """
        record = container.record
        async with AsyncExitStack() as held:
            root = None
            while root is None:
                container.ensure_not_removing(READ)
                main = record.main
                if record.running and main is not None:
                    root = self._live(container, main, held)
                    if root is None:
                        await _noted_end(container, main)
                    continue
                async with container.lock:  # else it may be started or removed before all is mounted
                    if not record.running or record.main is None:
                        root = await self._whole(container, held)
            yield root

    def _live(self, container: EngineContainer, main: ProcessRecord, held: AsyncExitStack) -> ContainerRoot | None:
        """Opens the root of a running container by its process; None where that is gone.

        Its mount namespace is kept as long, and so are the volumes in it; its layers stay mounted for its next start.
        """
        with ExitStack() as opening:
            try:
                process = opening.enter_context(ProcessEntry(main.pid))
                if process.start != main.started:
                    return None
                namespace = os.open("ns/mnt", os.O_RDONLY | os.O_CLOEXEC, dir_fd=process.descriptor)
                opening.callback(os.close, namespace)
                root = ContainerRoot(f"/proc/self/fd/{process.descriptor}/root", _ids(process))
                opening.enter_context(root)
            except (ProcessLookupError, FileNotFoundError):
                return None
            kept = opening.pop_all()
        container.looks += 1
        held.callback(lambda: self._tasks.start(self._leave(container, object())))
        held.enter_context(kept)
        return root

    @asynccontextmanager
    async def stacked(self, container: EngineContainer) -> AsyncIterator[ContainerRoot]:
        """Gives the container's root as its layers make it, without volumes, binds and whatever else is mounted in it.

        Raises:
            Conflict: It is about to be removed.
        """
        container.ensure_not_removing(READ)
        async with AsyncExitStack() as held:
            async with container.lock:
                self._stack(container, object(), held)
                root = held.enter_context(ContainerRoot(container.root, ids(container)))
            yield root

    def _stack(self, container: EngineContainer, look: object, held: AsyncExitStack) -> None:
        """Mounts its layers, with its lock held, until nobody looks into it any more and it doesn't run."""
        container.ensure_not_removing(READ)
        container.looks += 1
        # A task of the engine's: the client may leave, and this be cancelled, just as the look ends.
        held.push_async_callback(lambda: asyncio.shield(self._tasks.start(self._leave(container, look))))
        self._roots.mount(container)

    async def _leave(self, container: EngineContainer, look: object) -> None:
        try:
            await self._claims.release(container, look)
        finally:
            container.looks -= 1
        async with container.lock:  # whoever starts it has it then
            if not container.looks and not container.record.running:
                unmount(container.root)

    async def _whole(self, container: EngineContainer, held: AsyncExitStack) -> ContainerRoot:
        look = object()
        self._stack(container, look, held)
        await self._populator.populate(container)
        await self._claims.claim(container, look)
        written = self._written(container)
        if not container.record.mounts and not written:
            return held.enter_context(_bare(container))
        made = in_own_mount_namespace(lambda: _assembled(container, written))
        root = await on_thread(lambda _: held.enter_context(made), late=lambda late: os.close(late.fd))
        return held.enter_context(root)

    def _written(self, container: EngineContainer) -> list[MountRecord]:
        """The files that the engine writes for a container, as far as it has written any yet."""
        try:
            bound = self._network_files.bound(container, None)
        except PydError:  # whose network it shares is gone
            return []
        return [
            MountRecord(kind="bind", target=target, source=source, recursive=False)
            for target, source in bound.items()
            if Path(source).exists()
        ]


async def _noted_end(container: EngineContainer, main: ProcessRecord) -> None:
    """Waits until the end of a process is noted in the container's record.

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


def _bare(container: EngineContainer) -> ContainerRoot:
    """Opens its layers, with the working directory that a container which never ran doesn't have yet."""
    root = ContainerRoot(container.root)
    workdir = container.record.config.working_dir
    if workdir and container.record.status == "created":
        with suppress(KernelError, OSError):
            os.close(root.make_directories(os.path.normpath(workdir)))
    return root


def _assembled(container: EngineContainer, written: list[MountRecord]) -> ContainerRoot:
    """Mounts volumes and binds where its processes have them; what isn't there on the machine is left out."""
    root = _bare(container)
    try:
        for each in (*written, *container.record.mounts):
            if each.kind != "tmpfs":
                with suppress(KernelError, FileNotFoundError):
                    _put(each, subpaths.opened(each), root)
        if container.record.host.readonly_rootfs:
            mount("none", f"/proc/self/fd/{root.fd}", "", MS_REMOUNT | MS_BIND | MS_RDONLY)
    except BaseException:
        os.close(root.fd)
        raise
    return root


def _put(each: MountRecord, source: int, root: RootDirectory) -> None:
    try:
        directory = stat.S_ISDIR(os.fstat(source).st_mode)
        point = make_mountpoint(root.fd, each.target, directory=directory)
        _mount(f"/proc/self/fd/{source}", point, MS_BIND | (MS_REC if each.recursive else 0))
    finally:
        os.close(source)
    if each.read_only:
        _mount("none", root.open(each.target, os.O_PATH), MS_REMOUNT | MS_BIND | MS_RDONLY)


def check_writable(root: RootDirectory, container: EngineContainer, place: int) -> None:
    """Refuses to write to a directory where the container couldn't, whichever way its path has led there.

    Args:
        root: The container's root.
        container: The container.
        place: A descriptor of the directory.

    Raises:
        Refused: It lies in a read-only volume, or outside of all volumes in a read-only root.
    """
    there = mount_id(place)
    for each in container.record.mounts:
        if each.kind != "tmpfs":
            with suppress(KernelError):
                point = root.open(each.target, os.O_PATH)
                same = mount_id(point) == there
                os.close(point)
                if same and each.read_only:
                    raise Refused("mounted volume is marked read-only")
    if container.record.host.readonly_rootfs and there == mount_id(root.fd):
        raise Refused("container rootfs is marked read-only")


def devices(root: RootDirectory, container: EngineContainer) -> frozenset[int]:
    """Returns the devices of its volumes and binds, which are copied with what is around them; not the kernel's own."""
    targets = [f"/etc/{name}" for name in NAMES]
    targets += [
        each.target
        for each in container.record.mounts
        if each.kind != "tmpfs" and not f"{each.source}/".startswith(KERNELS)
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


def ids(container: EngineContainer) -> IdMap | None:
    """The ids that its files are seen with on the host: its processes' while it runs; None where they are its own."""
    main = container.record.main
    if not container.record.running or main is None:
        return None
    try:
        with ProcessEntry(main.pid) as process:
            return _ids(process) if process.start == main.started else None
    except OSError:
        return None


def _ids(process: ProcessEntry) -> IdMap | None:
    """Reads the ids of an opened process; None where they are the host's.

    Raises:
        OSError: It is gone.
    """
    found = IdMap.at(Path(f"/proc/self/fd/{process.descriptor}"))
    return None if found.plain else found
