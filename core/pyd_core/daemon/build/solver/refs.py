"""Results as clients and exporters use them."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import TypeVar

from pyd_core.buildkit.proto.fsutil_stat_pb2 import Stat
from pyd_core.daemon.build.solver import tree_walk
from pyd_core.daemon.build.solver.cache_config import TraceEntry
from pyd_core.daemon.build.solver.patterns import compile_name
from pyd_core.daemon.build.solver.results import Result
from pyd_core.daemon.build.solver.snapshots import SnapshotStore
from pyd_core.errors import InvalidInput, KernelError, NotFound
from pyd_core.linux.openat2 import RootDirectory, open_file

T = TypeVar("T")

MAX_READ_BYTES = 16 << 20
MAX_LISTED = 100_000
_GO_DIRECTORY, _GO_SYMLINK, _GO_DEVICE, _GO_PIPE, _GO_SOCKET = 1 << 31, 1 << 27, 1 << 26, 1 << 25, 1 << 24
_GO_SETUID, _GO_SETGID, _GO_CHARACTER, _GO_STICKY = 1 << 23, 1 << 22, 1 << 21, 1 << 20


def go_mode(mode: int) -> int:
    """Return a mode of stat(2) as Go's `os.FileMode`, which the protocol has."""
    result = mode & 0o777
    kinds = {
        stat.S_IFDIR: _GO_DIRECTORY,
        stat.S_IFLNK: _GO_SYMLINK,
        stat.S_IFBLK: _GO_DEVICE,
        stat.S_IFCHR: _GO_DEVICE | _GO_CHARACTER,
        stat.S_IFIFO: _GO_PIPE,
        stat.S_IFSOCK: _GO_SOCKET,
    }
    result |= kinds.get(stat.S_IFMT(mode), 0)
    for bit, go_bit in ((stat.S_ISUID, _GO_SETUID), (stat.S_ISGID, _GO_SETGID), (stat.S_ISVTX, _GO_STICKY)):
        result |= go_bit if mode & bit else 0
    return result


class SolvedRef:
    """A result, whose layers stay as long as it isn't released; see `BuildRef`."""

    def __init__(
        self,
        result: Result,
        identity: str,
        snapshots: SnapshotStore,
        held: ExitStack,
        trace: Sequence[TraceEntry] = (),
        *,
        sources: Mapping[str, str] | None = None,
    ) -> None:
        self.result = result
        self.trace = trace
        self.sources = sources or {}
        """The sources that were read, by vertex."""
        self.identity = identity
        self.id = os.urandom(16).hex()
        self._snapshots = snapshots
        self._held = held

    async def evaluate(self) -> None:
        """Do nothing: the result exists."""

    async def read_file(self, path: str, *, offset: int = 0, length: int = 0) -> bytes:
        """Return a file's content.

        Raises:
            NotFound: There is no such file.
            InvalidInput: It is no regular file.
        """

        def read(root: RootDirectory) -> bytes:
            with os.fdopen(open_file(root.fd, path), "rb") as file:
                file.seek(offset)
                return file.read(min(length or MAX_READ_BYTES, MAX_READ_BYTES))

        return await self._look(read, path)

    async def read_dir(self, path: str, *, pattern: str = "") -> list[Stat]:
        """List a directory; `pattern` selects names as Go's `filepath.Match` does."""

        def read(root: RootDirectory) -> list[Stat]:
            selected = compile_name(pattern) if pattern else None
            fd = root.open(path or "/", os.O_RDONLY | os.O_DIRECTORY | os.O_NONBLOCK)
            try:
                names = sorted(os.listdir(fd))[:MAX_LISTED]  # noqa: PTH208 - a descriptor
                return [_stat(fd, name) for name in names if selected is None or selected.fullmatch(name)]
            finally:
                os.close(fd)

        return await self._look(read, path)

    async def stat_file(self, path: str) -> Stat:
        """Return what a path is, without following it if it is a link."""

        def read(root: RootDirectory) -> Stat:
            above, _, name = path.rstrip("/").rpartition("/")
            fd = root.open((above or "/") if name not in {"", ".", ".."} else path or "/", os.O_PATH | os.O_DIRECTORY)
            try:
                return _stat(fd, name if name not in {"", ".", ".."} else ".")
            finally:
                os.close(fd)

        return await self._look(read, path)

    async def _look(self, work: Callable[[RootDirectory], T], path: str) -> T:
        def run() -> T:
            with self.result.open(self._snapshots) as root:
                return work(root)

        try:
            return await asyncio.to_thread(run)
        except (KernelError, OSError) as error:
            if error.errno in {errno.ENOENT, errno.ENOTDIR}:
                raise NotFound(f"{path[:300]}: no such file or directory") from error
            raise InvalidInput(f"{path[:300]}: {os.strerror(error.errno or 0).lower()}") from error

    async def release(self) -> None:
        """Let the cache remove the result."""
        self._held.close()


def _stat(directory: int, name: str) -> Stat:
    status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    is_link = stat.S_ISLNK(status.st_mode)
    is_device = stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode)
    link = os.readlink(name, dir_fd=directory) if is_link else ""
    handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    try:
        xattrs = {} if is_link else tree_walk.read_xattrs(f"/proc/self/fd/{handle}")
    finally:
        os.close(handle)
    return Stat(
        path=name,
        mode=go_mode(status.st_mode),
        uid=status.st_uid,
        gid=status.st_gid,
        size=status.st_size if stat.S_ISREG(status.st_mode) else 0,
        modTime=status.st_mtime_ns,
        linkname=link,
        devmajor=os.major(status.st_rdev) if is_device else 0,
        devminor=os.minor(status.st_rdev) if is_device else 0,
        xattrs=xattrs,
    )
