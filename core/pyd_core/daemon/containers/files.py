"""A container's files from outside: what changed, and copying in and out, running or not."""

from __future__ import annotations

import asyncio
import base64
import errno
import json
import os
import posixpath
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pyd_core.daemon.abandon import on_thread
from pyd_core.daemon.containers import subpaths, volumes
from pyd_core.daemon.containers.container import Container
from pyd_core.daemon.containers.preparation import mount_root
from pyd_core.daemon.containers.record import MountRecord
from pyd_core.daemon.remapping import ids_of
from pyd_core.errors import InvalidInput, KernelError, NotFound
from pyd_core.linux.beneath import RootDirectory, make_mountpoint
from pyd_core.linux.mount_namespace import apart
from pyd_core.linux.mounting import MS_BIND, MS_RDONLY, MS_REC, MS_REMOUNT, mount, unmount
from pyd_core.linux.overlay import is_whiteout
from pyd_core.linux.userns import IdMap
from pyd_core.model.base import format_time
from pyd_core.model.container import Change

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Daemon

MODIFIED, ADDED, DELETED = 0, 1, 2
READ = "looked into"
KERNELS = ("/proc/", "/sys/", "/dev/")

_GO_MODES = (
    (stat.S_ISDIR, 1 << 31),
    (stat.S_ISLNK, 1 << 27),
    (stat.S_ISBLK, 1 << 26),
    (stat.S_ISFIFO, 1 << 25),
    (stat.S_ISSOCK, 1 << 24),
    (stat.S_ISCHR, 1 << 26 | 1 << 21),
)
"""Bits of Go's `os.FileMode`, which the API's path statistics use."""


@asynccontextmanager
async def opened(daemon: Daemon, container: Container) -> AsyncIterator[RootDirectory]:
    """Gives the container's root with its volumes and binds: as its processes see it while it runs, else mounted.

    Raises:
        Conflict: It is about to be removed.
        EngineError: A volume can't be mounted.
    """
    record = container.record
    container.check_stays(READ)
    async with AsyncExitStack() as held:
        # Else it is neither started nor removed until all is mounted; what is opened then stays whatever becomes of it.
        async with nullcontext() if record.running else container.lock:
            if record.running and record.main is not None:
                root = held.enter_context(RootDirectory(f"/proc/{record.main.pid}/root"))
            else:
                root = await _whole(daemon, container, held)
        yield root


@asynccontextmanager
async def stacked(daemon: Daemon, container: Container) -> AsyncIterator[RootDirectory]:
    """Gives the container's root as its layers make it, without volumes, binds and whatever else is mounted in it.

    Raises:
        Conflict: It is about to be removed.
    """
    container.check_stays(READ)
    async with AsyncExitStack() as held:
        async with container.lock:
            _stack(daemon, container, object(), held)
            root = held.enter_context(RootDirectory(container.root))
        yield root


def _stack(daemon: Daemon, container: Container, look: object, held: AsyncExitStack) -> None:
    """Mounts its layers, with its lock held, until nobody looks into it any more and it doesn't run."""
    container.check_stays(READ)
    container.looks += 1
    # A task of the engine's: the client may leave, and this be cancelled, just as the look ends.
    held.push_async_callback(lambda: asyncio.shield(daemon.tasks.start(_leave(daemon, container, look))))
    mount_root(daemon, container)


async def _leave(daemon: Daemon, container: Container, look: object) -> None:
    try:
        await volumes.release(daemon, container, look)
    finally:
        container.looks -= 1
    async with container.lock:  # whoever starts it has it then
        if not container.looks and not container.record.running:
            unmount(container.root)


async def _whole(daemon: Daemon, container: Container, held: AsyncExitStack) -> RootDirectory:
    look = object()
    _stack(daemon, container, look, held)
    if not container.record.mounts:
        return held.enter_context(RootDirectory(container.root))
    await volumes.fill(daemon, container, look)
    made = apart(lambda: _assembled(container))
    root = await on_thread(lambda _: held.enter_context(made), late=lambda late: os.close(late.fd))
    return held.enter_context(root)


def _assembled(container: Container) -> RootDirectory:
    """Mounts volumes and binds where its processes have them; what isn't there on the machine is left out."""
    root = RootDirectory(container.root)
    try:
        for each in container.record.mounts:
            if each.kind != "tmpfs":
                with suppress(KernelError, FileNotFoundError):
                    _put(each, subpaths.opened(each), root)
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


def mounted(container: Container, path: str) -> bool:
    """Whether a path is in a volume or a bind, going by its name."""
    whole = posixpath.normpath("/" + path.lstrip("/"))
    targets = [each.target.rstrip("/") for each in container.record.mounts if each.kind != "tmpfs"]
    return any(f"{whole}/".startswith(f"{target}/") for target in targets)


def devices(root: RootDirectory, container: Container) -> frozenset[int]:
    """Returns the devices of its volumes and binds, which are copied with what is around them; not the kernel's own."""
    found: set[int] = set()
    for each in container.record.mounts:
        if each.kind != "tmpfs" and not f"{each.source}/".startswith(KERNELS):
            with suppress(KernelError):
                fd = root.open(each.target, os.O_PATH | os.O_NOFOLLOW)
                found.add(os.fstat(fd).st_dev)
                os.close(fd)
    return frozenset(found)


def _mount(source: str, point: int, flags: int) -> None:
    try:
        mount(source, f"/proc/self/fd/{point}", "", flags)
    finally:
        os.close(point)


def ids(container: Container) -> IdMap | None:
    """The ids that its files are seen with on the host: its processes' while it runs; None where they are its own."""
    record = container.record
    return ids_of(record.main.pid) if record.running and record.main is not None else None


@contextmanager
def found(
    root: RootDirectory, path: str, whose: str, *, follow: bool = False
) -> Iterator[tuple[str, os.stat_result, str]]:
    """Finds a path: its directory is resolved inside the root, its last part is not followed unless it ends in `/`.

    Args:
        root: Where.
        path: What.
        whose: The container as the client named it.
        follow: Whether the last part is followed in any case.

    Yields:
        A path through a descriptor, what it is, and its name: `.` for what ends in a dot, so that an archive of it
        has what is in a directory and not the directory.

    Raises:
        NotFound: There is nothing.
        InvalidInput: Links lead round and round.
    """
    follow = follow or path.endswith(("/", "/."))
    clean = posixpath.normpath("/" + path)
    flags = os.O_PATH | (0 if follow else os.O_NOFOLLOW)
    try:
        if follow or clean == "/":
            fd = root.open(clean, flags)
        else:
            parent = root.open(posixpath.dirname(clean), os.O_PATH | os.O_DIRECTORY)
            try:
                fd = os.open(posixpath.basename(clean), flags | os.O_CLOEXEC, dir_fd=parent)
            finally:
                os.close(parent)
    except (KernelError, OSError) as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG}:  # no file's name is as long as that
            raise NotFound(f"Could not find the file {path} in container {whose}") from error
        if error.errno == errno.ELOOP:
            raise InvalidInput(f"too many links: {path}") from error
        raise
    try:
        name = "." if path.rpartition("/")[2] == "." else posixpath.basename(clean) or "/"
        yield f"/proc/self/fd/{fd}", os.fstat(fd), name
    finally:
        os.close(fd)


def statistics(path: str, status: os.stat_result, name: str) -> str:
    """The header that tells of a path: base64 of a JSON text."""
    mode = stat.S_IMODE(status.st_mode) & 0o777
    mode |= sum(bits for test, bits in _GO_MODES if test(status.st_mode))
    mode |= (1 << 23 if status.st_mode & stat.S_ISUID else 0) | (1 << 22 if status.st_mode & stat.S_ISGID else 0)
    mode |= 1 << 20 if status.st_mode & stat.S_ISVTX else 0
    link = os.readlink("", dir_fd=int(path.rpartition("/")[2])) if stat.S_ISLNK(status.st_mode) else ""
    told = {
        "name": name,
        "size": status.st_size,
        "mode": mode,
        "mtime": format_time(status.st_mtime_ns),
        "linkTarget": link,
    }
    return base64.b64encode(json.dumps(told).encode()).decode()


def changes(daemon: Daemon, container: Container) -> list[Change]:
    """Returns what differs from the image, sorted by path.

    Raises:
        Conflict: It is about to be removed.
    """
    container.check_stays(READ)
    below = [daemon.images.layers.directory(diff_id) for diff_id in reversed(container.record.layers)]
    below.append(daemon.base)
    made: list[Change] = []

    def walk(directory: Path, name: str) -> bool:
        any_ = False
        for entry in sorted(os.scandir(directory), key=lambda each: each.name):
            path = f"{name}/{entry.name}"
            status = entry.stat(follow_symlinks=False)
            if is_whiteout(status):
                made.append(Change(path=path, kind=DELETED))
                any_ = True
                continue
            at = len(made)
            inner = walk(Path(entry.path), path) if entry.is_dir(follow_symlinks=False) else False
            known = exists(below, path)
            if not known:
                made.insert(at, Change(path=path, kind=ADDED))
            elif inner or not entry.is_dir(follow_symlinks=False) or _differs(below, path, status):
                made.insert(at, Change(path=path, kind=MODIFIED))
            any_ = any_ or len(made) > at
        return any_

    walk(container.upper, "")
    return made


def _lower(layers: list[Path], path: str) -> os.stat_result | None:
    for layer in layers:
        with RootDirectory(layer) as root:
            try:
                fd = root.open(path, os.O_PATH | os.O_NOFOLLOW)
            except KernelError:
                continue
            try:
                status = os.fstat(fd)
            finally:
                os.close(fd)
            return None if is_whiteout(status) else status
    return None


def exists(layers: list[Path], path: str) -> bool:
    """Whether the image has a path, whiteouts obeyed."""
    return _lower(layers, path) is not None


def _differs(layers: list[Path], path: str, status: os.stat_result) -> bool:
    other = _lower(layers, path)
    if other is None:
        return True
    return (status.st_mode, status.st_uid, status.st_gid) != (other.st_mode, other.st_uid, other.st_gid)
