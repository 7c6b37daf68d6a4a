"""Writer of directories as tar archives: `docker cp`, `export`, `commit`, `save`.

A thread writes the archive to a pipe, so that it is never held in memory.
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

from pyd_core.linux import pipes
from pyd_core.linux.openat2 import reopen
from pyd_core.linux.overlay import is_opaque, is_whiteout
from pyd_core.linux.tree import TreeCursor
from pyd_core.linux.userns import CAPABILITIES, IdMap, of_any_root
from pyd_core.tar.headers import PlainArchive
from pyd_core.tar.whiteouts import OPAQUE, whiteout_name

BUFFER_BYTES = 1 << 18
"""Bytes of an archive that are written at once."""


class TarWriter:
    """Writer of one archive.

    Args:
        out: The destination.
        whiteouts: Whether overlayfs's marks become a layer's whiteouts (OCI image spec, layer.md).
        owner: User and group for all members; None keeps the owners.
        mode: Permissions for all members; None keeps them.
        ids: User namespace whose ids owners get in the archive; None keeps the host's.
        max_mtime_s: The latest modification time, in seconds since 1970; None keeps all times.
    """

    def __init__(
        self,
        out: BinaryIO,
        *,
        whiteouts: bool = False,
        owner: tuple[int, int] | None = None,
        mode: int | None = None,
        ids: IdMap | None = None,
        max_mtime_s: int | None = None,
    ) -> None:
        self._max_mtime_s = max_mtime_s
        self._out = _BufferedOutput(out)
        self._tar = PlainArchive(fileobj=self._out, mode="w", format=tarfile.PAX_FORMAT)  # type: ignore[arg-type]
        self._whiteouts = whiteouts
        self._owner = owner
        self._mode = mode
        self._ids = ids
        self._links: dict[tuple[int, int], str] = {}
        self._devices: frozenset[int] = frozenset()

    def close(self) -> None:
        """Finish the archive."""
        self._tar.close()
        self._out.flush()

    def add_bytes(self, name: str, body: bytes) -> None:
        """Add a file with the given contents."""
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(body), 0o644
        self._tar.addfile(entry, io.BytesIO(body))

    def add_file(self, name: str, path: Path, *, mtime_ns: int | None = None) -> None:
        """Add a file of the host under a name, with a time."""
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.mtime = path.stat().st_size, 0o644, (mtime_ns or 0) // 1_000_000_000
        with path.open("rb") as source:
            self._tar.addfile(entry, source)

    def add_tree(self, path: str, name: str, *, across: frozenset[int] = frozenset()) -> None:
        """Add a file, or a directory with all its contents; skip mounts below it except of devices in `across`.

        Below the path, everything is opened through its directory's descriptor and no link is followed. A container
        that swaps a directory for a link meanwhile gains nothing. Only regular files and directories are opened for
        reading: a pipe would block, and a device could have side effects.
        """
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            status = os.fstat(fd)
            self._devices = across | {status.st_dev}
            if stat.S_ISDIR(status.st_mode):
                self._add_directory(fd, name, status)
            else:
                self._add_node(fd, name, status)
        finally:
            os.close(fd)

    def add_contents(self, path: str, name: str = "") -> None:
        """Add what is in a directory, without an entry for the directory itself.

        Args:
            path: The directory.
            name: The directory's name in the archive; a named one has an entry.
        """
        fd = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            status = os.fstat(fd)
            self._devices = frozenset({status.st_dev})
            self._add_directory(fd, name, status, has_entry=bool(name))
        finally:
            os.close(fd)

    def _add_directory(self, top: int, name: str, status: os.stat_result, *, has_entry: bool = True) -> None:
        if has_entry:
            self._tar.addfile(self._with_owner(_entry(name or ".", tarfile.DIRTYPE, status)))
        prefix = f"{name.rstrip('/')}/" if name else ""
        with TreeCursor(top) as cursor:
            pending = [self._list_names(cursor, prefix)]
            while pending:
                if not pending[-1]:
                    pending.pop()
                    if pending:
                        prefix = prefix[: -len(cursor.leave()) - 1]
                    continue
                base = pending[-1].pop()
                with contextlib.suppress(FileNotFoundError):  # removed since it was listed
                    if self._add_member(cursor, base, prefix + base):
                        prefix = f"{prefix}{base}/"
                        pending.append(self._list_names(cursor, prefix))

    def _list_names(self, cursor: TreeCursor, prefix: str) -> list[str]:
        if self._whiteouts and is_opaque(cursor.fd):
            self.add_bytes(prefix + OPAQUE, b"")
        return cursor.names()[::-1]

    def _add_member(self, cursor: TreeCursor, base: str, name: str) -> bool:
        """Add an entry of a directory; return whether it is a directory itself, which is then entered."""
        fd = os.open(base, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=cursor.fd)
        try:
            status = os.fstat(fd)
            if not stat.S_ISDIR(status.st_mode):
                self._add_node(fd, name, status)
                return False
        finally:
            os.close(fd)
        if status.st_dev not in self._devices:
            return False
        try:
            cursor.enter(base)
        except OSError:
            return False  # removed or swapped since it was listed
        self._tar.addfile(self._with_owner(_entry(name, tarfile.DIRTYPE, status)))
        return True

    def _add_node(self, fd: int, name: str, status: os.stat_result) -> None:
        """Add anything but a directory, through an `O_PATH` descriptor."""
        mode = status.st_mode
        if stat.S_ISREG(mode):
            self._add_file(fd, name, status)
        elif stat.S_ISLNK(mode):
            entry = self._with_owner(_entry(name, tarfile.SYMTYPE, status))
            entry.linkname = os.readlink("", dir_fd=fd)
            self._tar.addfile(entry)
        elif self._whiteouts and is_whiteout(status):
            directory, slash, base = name.rpartition("/")
            self.add_bytes(f"{directory}{slash}{whiteout_name(base)}", b"")
        elif not stat.S_ISSOCK(mode):  # a socket can't be archived
            kinds = {stat.S_IFCHR: tarfile.CHRTYPE, stat.S_IFBLK: tarfile.BLKTYPE, stat.S_IFIFO: tarfile.FIFOTYPE}
            entry = self._with_owner(_entry(name, kinds[stat.S_IFMT(mode)], status))
            entry.devmajor, entry.devminor = os.major(status.st_rdev), os.minor(status.st_rdev)
            self._tar.addfile(entry)

    def _add_file(self, fd: int, name: str, status: os.stat_result) -> None:
        key = (status.st_dev, status.st_ino)
        if status.st_nlink > 1 and key in self._links:
            entry = self._with_owner(_entry(name, tarfile.LNKTYPE, status))
            entry.linkname = self._links[key]
            self._tar.addfile(entry)
            return
        self._links[key] = name
        with os.fdopen(reopen(fd, os.O_RDONLY | os.O_NOCTTY), "rb") as source:
            entry = self._with_owner(_entry(name, tarfile.REGTYPE, status))
            entry.size = status.st_size
            entry.pax_headers = _capabilities(source.fileno(), plain=self._ids is not None)
            self._tar.addfile(entry, _FixedSizeFile(source, entry.size))

    def _with_owner(self, entry: tarfile.TarInfo) -> tarfile.TarInfo:
        if self._ids is not None:
            entry.uid, entry.gid = self._ids.inside(entry.uid, entry.gid)
        if self._owner is not None:
            entry.uid, entry.gid = self._owner
        if self._mode is not None:
            entry.mode = self._mode
        if self._max_mtime_s is not None:
            entry.mtime = min(entry.mtime, self._max_mtime_s)
        return entry


def _entry(name: str, kind: bytes, status: os.stat_result) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = kind, stat.S_IMODE(status.st_mode)
    entry.uid, entry.gid, entry.mtime = status.st_uid, status.st_gid, int(status.st_mtime)
    return entry


class _BufferedOutput:
    """Output in large pieces, which counts the bytes written, as `tarfile` needs for pipes."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._written = 0
        self._pieces: list[bytes] = []
        self._buffered = 0

    def write(self, data: bytes) -> int:
        self._written += len(data)
        self._pieces.append(data)
        self._buffered += len(data)
        if self._buffered >= BUFFER_BYTES:
            self.flush()
        return len(data)

    def flush(self) -> None:
        """Write what is buffered."""
        data, self._buffered = b"".join(self._pieces), 0
        self._pieces.clear()
        self._out.write(data)

    def tell(self) -> int:
        return self._written


class _FixedSizeFile(io.RawIOBase):
    """File of exactly the length in its header, even if it grows or shrinks while it is read."""

    def __init__(self, source: BinaryIO, size: int) -> None:
        self._source = source
        self._remaining = size

    def read(self, size: int = -1) -> bytes:
        length = self._remaining if size < 0 else min(size, self._remaining)
        data = self._source.read(length)
        self._remaining -= length
        return data + bytes(length - len(data))


def _capabilities(fd: int, *, plain: bool) -> dict[str, str]:
    """Return a file's capabilities as a header; `plain` omits the root user they apply to (capabilities(7))."""
    try:
        value = os.getxattr(fd, CAPABILITIES)
    except OSError:
        return {}
    if plain:
        value = of_any_root(value)
    return {f"SCHILY.xattr.{CAPABILITIES}": value.decode("utf-8", "surrogateescape")}


async def stream_tar(
    work: Callable[[TarWriter], None],
    *,
    whiteouts: bool = False,
    owner: tuple[int, int] | None = None,
    mode: int | None = None,
    ids: IdMap | None = None,
) -> AsyncGenerator[bytes, None]:
    """Yield an archive while a thread writes it; `Packer` documents the options.

    Raises:
        OSError: The thread failed.
    """
    read_fd, write_fd = os.pipe()
    os.set_blocking(read_fd, False)
    file = os.fdopen(write_fd, "wb")  # opened here: if no thread runs, it is closed with its last reference

    def write() -> None:
        with contextlib.suppress(BrokenPipeError), file as out:  # closing writes too
            packer = TarWriter(out, whiteouts=whiteouts, owner=owner, mode=mode, ids=ids)
            work(packer)
            packer.close()

    thread = asyncio.get_running_loop().run_in_executor(None, write)
    try:
        while data := await pipes.read(read_fd):
            yield data
    finally:
        os.close(read_fd)
        await thread
