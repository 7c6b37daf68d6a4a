"""Packing directories as tar archives: `docker cp`, `export`, `commit`, `save`.

The archive is written by a thread into a pipe, so that nothing of it is held in memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import stat
import tarfile
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import BinaryIO

from pyd_core.daemon.images.unpack import OPAQUE, WHITEOUT
from pyd_core.linux import pipes
from pyd_core.linux.openat2 import reopen
from pyd_core.linux.overlay import is_opaque, is_whiteout
from pyd_core.linux.tree import TreeCursor
from pyd_core.linux.userns import CAPABILITIES, IdMap, of_any_root


class Packer:
    """Writes one archive.

    Args:
        out: Where to.
        whiteouts: Whether overlayfs's marks become those of a layer (OCI image spec, layer.md).
        owner: Whose everything is to be, by user and group; None leaves that as it is.
        mode: The permissions of everything; None leaves those as they are.
        ids: Whose numbers owners get in the archive; None where they are the host's.
    """

    def __init__(
        self,
        out: BinaryIO,
        *,
        whiteouts: bool = False,
        owner: tuple[int, int] | None = None,
        mode: int | None = None,
        ids: IdMap | None = None,
    ) -> None:
        self._tar = tarfile.TarFile(fileobj=_Counted(out), mode="w", format=tarfile.PAX_FORMAT)  # type: ignore[arg-type]
        self._whiteouts = whiteouts
        self._owner = owner
        self._mode = mode
        self._ids = ids
        self._links: dict[tuple[int, int], str] = {}
        self._devices: frozenset[int] = frozenset()

    def close(self) -> None:
        """Ends the archive."""
        self._tar.close()

    def bytes(self, name: str, body: bytes) -> None:
        """Adds a file with these contents."""
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(body), 0o644
        self._tar.addfile(entry, io.BytesIO(body))

    def file(self, name: str, path: Path, *, mtime_ns: int | None = None) -> None:
        """Adds a file of the host under a name, with a time."""
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.mtime = path.stat().st_size, 0o644, (mtime_ns or 0) // 1_000_000_000
        with path.open("rb") as source:
            self._tar.addfile(entry, source)

    def link(self, name: str, target: str) -> None:
        """Adds a symbolic link."""
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, target, 0o777
        self._tar.addfile(entry)

    def tree(self, path: str, name: str, *, across: frozenset[int] = frozenset()) -> None:
        """Adds whatever is there, a directory with all below; mounts below are left out, but for devices in `across`.

        Below the path everything is opened by its directory's descriptor and no link is followed, so that a container
        that swaps a directory for a link while it is packed leads nowhere. Regular files and directories alone are
        opened to be read: a pipe would block, and a device act.
        """
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            status = os.fstat(fd)
            self._devices = across | {status.st_dev}
            if stat.S_ISDIR(status.st_mode):
                self._directory(fd, name, status)
            else:
                self._node(fd, name, status)
        finally:
            os.close(fd)

    def _directory(self, top: int, name: str, status: os.stat_result) -> None:
        self._tar.addfile(self._owned(_entry(name or ".", tarfile.DIRTYPE, status)))
        where = f"{name.rstrip('/')}/" if name else ""
        with TreeCursor(top) as cursor:
            pending = [self._listed(cursor, where)]
            while pending:
                if not pending[-1]:
                    pending.pop()
                    if pending:
                        where = where[: -len(cursor.leave()) - 1]
                    continue
                inside = pending[-1].pop()
                with contextlib.suppress(FileNotFoundError):  # gone since it was listed
                    if self._member(cursor, inside, where + inside):
                        where = f"{where}{inside}/"
                        pending.append(self._listed(cursor, where))

    def _listed(self, cursor: TreeCursor, where: str) -> list[str]:
        if self._whiteouts and is_opaque(cursor.fd):
            self.bytes(where + OPAQUE.decode(), b"")
        return cursor.names()[::-1]

    def _member(self, cursor: TreeCursor, base: str, name: str) -> bool:
        """Adds what a directory holds; returns whether that is a directory itself, which is then entered."""
        fd = os.open(base, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=cursor.fd)
        try:
            status = os.fstat(fd)
            if not stat.S_ISDIR(status.st_mode):
                self._node(fd, name, status)
                return False
        finally:
            os.close(fd)
        if status.st_dev not in self._devices:
            return False
        try:
            cursor.enter(base)
        except OSError:
            return False  # gone or swapped since it was listed
        self._tar.addfile(self._owned(_entry(name, tarfile.DIRTYPE, status)))
        return True

    def _node(self, fd: int, name: str, status: os.stat_result) -> None:
        """Adds what is no directory, by an `O_PATH` descriptor of it."""
        mode = status.st_mode
        if stat.S_ISREG(mode):
            self._file(fd, name, status)
        elif stat.S_ISLNK(mode):
            entry = self._owned(_entry(name, tarfile.SYMTYPE, status))
            entry.linkname = os.readlink("", dir_fd=fd)
            self._tar.addfile(entry)
        elif self._whiteouts and is_whiteout(status):
            above, slash, last = name.rpartition("/")
            self.bytes(f"{above}{slash}{WHITEOUT.decode()}{last}", b"")
        elif not stat.S_ISSOCK(mode):  # a socket can't be archived
            kinds = {stat.S_IFCHR: tarfile.CHRTYPE, stat.S_IFBLK: tarfile.BLKTYPE, stat.S_IFIFO: tarfile.FIFOTYPE}
            entry = self._owned(_entry(name, kinds[stat.S_IFMT(mode)], status))
            entry.devmajor, entry.devminor = os.major(status.st_rdev), os.minor(status.st_rdev)
            self._tar.addfile(entry)

    def _file(self, fd: int, name: str, status: os.stat_result) -> None:
        key = (status.st_dev, status.st_ino)
        if status.st_nlink > 1 and key in self._links:
            entry = self._owned(_entry(name, tarfile.LNKTYPE, status))
            entry.linkname = self._links[key]
            self._tar.addfile(entry)
            return
        self._links[key] = name
        with os.fdopen(reopen(fd, os.O_RDONLY | os.O_NOCTTY), "rb") as source:
            entry = self._owned(_entry(name, tarfile.REGTYPE, status))
            entry.size = status.st_size
            entry.pax_headers = _capabilities(source.fileno(), plain=self._ids is not None)
            self._tar.addfile(entry, _Exactly(source, entry.size))

    def _owned(self, entry: tarfile.TarInfo) -> tarfile.TarInfo:
        if self._ids is not None:
            entry.uid, entry.gid = self._ids.inside(entry.uid, entry.gid)
        if self._owner is not None:
            entry.uid, entry.gid = self._owner
        if self._mode is not None:
            entry.mode = self._mode
        return entry


def _entry(name: str, kind: bytes, status: os.stat_result) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = kind, stat.S_IMODE(status.st_mode)
    entry.uid, entry.gid, entry.mtime = status.st_uid, status.st_gid, int(status.st_mtime)
    return entry


class _Counted:
    """Where a pipe can't say how much was written, this can: all that `tarfile` needs to write."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._written = 0

    def write(self, data: bytes) -> int:
        self._written += len(data)
        return self._out.write(data)

    def tell(self) -> int:
        return self._written


class _Exactly(io.RawIOBase):
    """A file that is as long as its header says, even if it grows or shrinks while it is read."""

    def __init__(self, source: BinaryIO, size: int) -> None:
        self._source = source
        self._left = size

    def read(self, size: int = -1) -> bytes:
        want = self._left if size < 0 else min(size, self._left)
        data = self._source.read(want)
        self._left -= want
        return data + bytes(want - len(data))


def _capabilities(fd: int, *, plain: bool) -> dict[str, str]:
    """What a file's capabilities are, as a header; `plain` leaves out for whose root they hold (capabilities(7))."""
    try:
        value = os.getxattr(fd, CAPABILITIES)
    except OSError:
        return {}
    if plain:
        value = of_any_root(value)
    return {f"SCHILY.xattr.{CAPABILITIES}": value.decode("utf-8", "surrogateescape")}


async def stream(
    work: Callable[[Packer], None],
    *,
    whiteouts: bool = False,
    owner: tuple[int, int] | None = None,
    mode: int | None = None,
    ids: IdMap | None = None,
) -> AsyncGenerator[bytes, None]:
    """Yields an archive while a thread writes it; what the options mean, `Packer` says.

    Raises:
        OSError: What the thread met.
    """
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    file = os.fdopen(writing, "wb")  # opened here: should no thread ever come to it, it is closed with its last user

    def write() -> None:
        with contextlib.suppress(BrokenPipeError), file as out:  # closing writes too
            packer = Packer(out, whiteouts=whiteouts, owner=owner, mode=mode, ids=ids)
            work(packer)
            packer.close()

    thread = asyncio.get_running_loop().run_in_executor(None, write)
    try:
        while data := await pipes.read(reading):
            yield data
    finally:
        os.close(reading)
        await thread
