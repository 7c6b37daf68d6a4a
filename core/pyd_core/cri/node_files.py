"""Files of a running container of this machine, as tars of the Engine API's archive calls.

Everything is opened by descriptor inside the root of the container's main process, which can change its files at any
time: a link is never followed out of the root, and a file that shrinks while it is read is filled up with zeros.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import stat
import tarfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import BinaryIO

from pyd_core.client.transport.base import Stream
from pyd_core.cri.node_container import NodeContainer
from pyd_core.errors import Conflict, EngineError, NotFound, Refused
from pyd_core.linux import pipes
from pyd_core.linux.cgroup_names import is_member
from pyd_core.linux.openat2 import open_in_root, reopen
from pyd_core.linux.process import ProcessEntry
from pyd_core.linux.tree import TreeCursor
from pyd_core.model.archive import PathStat
from pyd_core.sanitise import safe

_GO_TYPES = {stat.S_IFDIR: 1 << 31, stat.S_IFLNK: 1 << 27, stat.S_IFIFO: 1 << 25, stat.S_IFSOCK: 1 << 24}
"""Bits of Go's `fs.FileMode`."""
_MAX_LINK_BYTES = 4096


async def path_stat(container: NodeContainer, path: str) -> PathStat:
    """Return the metadata of a path, without following a link at its end.

    Raises:
        Conflict: The container doesn't run.
        NotFound: There is no such path.
    """
    return await asyncio.to_thread(_stat, container, path)


def _stat(container: NodeContainer, path: str) -> PathStat:
    with _opened(container, path) as (directory, name):
        facts = os.stat(name, dir_fd=directory, follow_symlinks=False) if name else os.fstat(directory)
        link = os.readlink(name, dir_fd=directory)[:_MAX_LINK_BYTES] if stat.S_ISLNK(facts.st_mode) else ""
    mode = stat.S_IMODE(facts.st_mode) & 0o777 | _GO_TYPES.get(stat.S_IFMT(facts.st_mode), 0)
    modified = datetime.fromtimestamp(facts.st_mtime, UTC).isoformat()
    return PathStat(name=name or "/", size=facts.st_size, mode=mode, modified=modified, link_target=link)


class _Archive:
    """A tar that a thread writes into a pipe."""

    def __init__(self, fd: int) -> None:
        self.status = 200
        self.headers: Mapping[str, str] = {"content-type": "application/x-tar"}
        self.error: BaseException | None = None
        self._fd = fd

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the tar."""
        while data := await pipes.read(self._fd):
            yield data
        if self.error is not None:
            raise EngineError(f"the files can't be read: {safe(str(self.error))[:300]}") from self.error


@contextlib.asynccontextmanager
async def open_archive(container: NodeContainer, path: str) -> AsyncIterator[Stream]:
    """Stream a tar of a file or directory; see `path_stat`."""
    await path_stat(container, path)
    reading, writing = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(reading, False)
    archive = _Archive(reading)

    def write() -> None:
        try:
            with os.fdopen(writing, "wb", buffering=1 << 16) as out, _opened(container, path) as (directory, name):
                _write(out, directory, name)
        except BrokenPipeError:
            pass  # the reader wants no more
        except (OSError, tarfile.TarError, Conflict, NotFound, Refused) as error:
            archive.error = error

    work = asyncio.get_running_loop().run_in_executor(None, write)
    try:
        yield archive
    finally:
        os.close(reading)
        await work


@contextlib.contextmanager
def open_container_root(container: NodeContainer) -> Iterator[tuple[ProcessEntry, int]]:
    """Yield the main process of a container and a descriptor of its root, which is checked to be the container's.

    Raises:
        Conflict: The container doesn't run.
        Refused: Only root may read it.
    """
    shown = safe(container.name)
    if not container.pid:
        raise Conflict(
            f"{shown} is not running ({container.status})",
            hint=f"pyd debug {shown} shows its files",
            reference="not-running",
        )
    with contextlib.ExitStack() as held:
        try:
            process = held.enter_context(ProcessEntry(container.pid))
            if not is_member(process.read("cgroup").decode(errors="replace"), container.id):
                raise Conflict(f"{shown} has ended meanwhile", reference="not-running")
            root = os.open("root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=process.descriptor)
        except (ProcessLookupError, FileNotFoundError):
            raise Conflict(f"{shown} has ended meanwhile", reference="not-running") from None
        except PermissionError as error:
            raise _only_root() from error
        held.callback(os.close, root)
        yield process, root


def _only_root() -> Refused:
    return Refused("only root reads the files of a node's containers", hint="run pyd as root")


@contextlib.contextmanager
def _opened(container: NodeContainer, path: str) -> Iterator[tuple[int, str]]:
    """Yield the directory of a path inside the container's root, and the path's last name; empty for the root."""
    shown = safe(container.name)
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts[-1:]:
        parts.append(".")
    with contextlib.ExitStack() as held:
        _, root = held.enter_context(open_container_root(container))
        try:
            parent = open_in_root(root, "/" + "/".join(parts[:-1]), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            held.callback(os.close, parent)
            if parts:
                os.stat(parts[-1], dir_fd=parent, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(f"{shown} has no {safe(path)}", reference="no-such-path") from None
        except PermissionError as error:
            raise _only_root() from error
        yield parent, parts[-1] if parts else ""


def _write(out: BinaryIO, directory: int, name: str) -> None:
    with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar, _looked_at(directory, name) as handle:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            _add_tree(tar, handle, name)
        else:
            _add(tar, handle, name)


def _add_tree(tar: tarfile.TarFile, top: int, prefix: str) -> None:
    tar.addfile(_info(prefix or ".", os.fstat(top)))
    with TreeCursor(top) as cursor:
        remaining = [iter(cursor.names())]
        while remaining:
            name = next(remaining[-1], None)
            if name is None:
                remaining.pop()
                if remaining:
                    cursor.leave()
                continue
            shown = "/".join(part for part in (prefix, *cursor.path, name) if part)
            with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):  # it changes meanwhile
                with _looked_at(cursor.fd, name) as handle:
                    is_directory = _add(tar, handle, shown)
                if is_directory:
                    cursor.enter(name)
            if len(remaining) <= cursor.depth:
                remaining.append(iter(cursor.names()))


@contextlib.contextmanager
def _looked_at(directory: int, name: str) -> Iterator[int]:
    """Yield an `O_PATH` descriptor: the name may stand for a device or a pipe, and opening those acts or waits."""
    handle = os.open(name or ".", os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    try:
        yield handle
    finally:
        os.close(handle)


def _add(tar: tarfile.TarFile, handle: int, shown: str) -> bool:
    """Add what a descriptor holds, of a directory only its entry; return whether it is one. Sockets are left out."""
    facts = os.fstat(handle)
    if stat.S_ISREG(facts.st_mode):
        with os.fdopen(reopen(handle, os.O_RDONLY | os.O_NOCTTY), "rb") as file:
            tar.addfile(_info(shown, facts), _Padded(file))
        return False
    info = _info(shown, facts)
    if stat.S_ISLNK(facts.st_mode):
        info.linkname = os.readlink("", dir_fd=handle)
    if not stat.S_ISSOCK(facts.st_mode):
        tar.addfile(info)
    return stat.S_ISDIR(facts.st_mode)


def _info(name: str, facts: os.stat_result) -> tarfile.TarInfo:
    kinds = {
        stat.S_IFDIR: tarfile.DIRTYPE,
        stat.S_IFLNK: tarfile.SYMTYPE,
        stat.S_IFIFO: tarfile.FIFOTYPE,
        stat.S_IFCHR: tarfile.CHRTYPE,
        stat.S_IFBLK: tarfile.BLKTYPE,
    }
    info = tarfile.TarInfo(name)
    info.type = kinds.get(stat.S_IFMT(facts.st_mode), tarfile.REGTYPE)
    info.size = facts.st_size if info.type == tarfile.REGTYPE else 0
    info.mode, info.uid, info.gid = stat.S_IMODE(facts.st_mode), facts.st_uid, facts.st_gid
    info.mtime = max(0, int(facts.st_mtime))
    if info.type in {tarfile.CHRTYPE, tarfile.BLKTYPE}:
        info.devmajor, info.devminor = os.major(facts.st_rdev), os.minor(facts.st_rdev)
    return info


class _Padded(io.RawIOBase):
    """A file whose size doesn't shrink: a header already states it."""

    def __init__(self, file: BinaryIO) -> None:
        self._read: Callable[[int], bytes] = file.read

    def read(self, size: int = -1) -> bytes:
        """Return exactly `size` bytes."""
        data = self._read(size)
        return data + b"\0" * (size - len(data))
