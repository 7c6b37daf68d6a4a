"""Files of a running container as its main process sees them, mounts included: through `/proc/PID/root`."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable
from typing import TypeVar

from pyd_core.errors import KernelError, NotFound, PydError, Refused
from pyd_core.files.entry import MAX_ENTRIES, DirectoryListing, FileEntry, kind_of, sort_entries
from pyd_core.linux.openat2 import open_in_root
from pyd_core.linux.process import ProcessEntry
from pyd_core.sanitise import safe

T = TypeVar("T")


class LiveFiles:
    """Files inside a process's root, opened by openat2(2) on a thread because a file system may hang.

    Args:
        pid: The container's main process on this machine.

    Raises:
        NotFound: The process doesn't exist.
        Refused: Its root is not accessible.
    """

    way = "live"

    def __init__(self, pid: int) -> None:
        self._pid = pid
        with self._translate_errors("/"), ProcessEntry(pid) as process:
            self._start = process.start
            os.close(self._open_root(process))

    async def list(self, path: str) -> DirectoryListing:
        """See `Files`."""
        return await self._run_in_thread(path, lambda root: _list(root, path))

    async def read(self, path: str, size: int, offset: int = 0) -> bytes:
        """See `Files`."""
        return await self._run_in_thread(path, lambda root: _read(root, path, size, offset))

    async def _run_in_thread(self, path: str, work: Callable[[int], T]) -> T:
        return await asyncio.to_thread(self._run, path, work)

    def _run(self, path: str, work: Callable[[int], T]) -> T:
        with self._translate_errors(path), ProcessEntry(self._pid) as process:
            if process.start != self._start:
                raise NotFound("the container no longer runs as it did", hint="open its files again")
            root = self._open_root(process)
            try:
                return work(root)
            finally:
                os.close(root)

    @staticmethod
    def _open_root(process: ProcessEntry) -> int:
        return os.open("root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=process.descriptor)

    @staticmethod
    def _translate_errors(path: str) -> _ErrorTranslator:
        return _ErrorTranslator(path)


class _ErrorTranslator:
    """Translator from kernel errors to the errors of `Files`."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ProcessLookupError):
            raise NotFound("the container no longer runs as it did", hint="open its files again") from error
        number = error.errno if isinstance(error, KernelError | OSError) else None
        if isinstance(error, PydError) and number is None:
            return
        if number is not None:
            raise file_error(number, self._path) from error


def file_error(number: int, path: str) -> PydError:
    """Return the error for an errno of a file access."""
    message = f"{safe(path)}: {os.strerror(number).lower()}"
    if number in {1, 13}:  # EPERM, EACCES
        return Refused(message, hint="pyd needs root to read a container's files directly")
    return NotFound(message)


def _list(root: int, path: str) -> DirectoryListing:
    directory = open_in_root(root, path, os.O_RDONLY | os.O_DIRECTORY | os.O_NONBLOCK)
    entries: list[FileEntry] = []
    try:
        with os.scandir(directory) as scan:
            for item in scan:
                if len(entries) == MAX_ENTRIES:
                    return DirectoryListing(sort_entries(entries), complete=False)
                entries.append(_entry(directory, item.name))
    finally:
        os.close(directory)
    return DirectoryListing(sort_entries(entries))


def _entry(directory: int, name: str) -> FileEntry:
    try:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        link = os.readlink(name, dir_fd=directory) if stat.S_ISLNK(status.st_mode) else ""
    except OSError:  # removed meanwhile, or a mount that refuses access
        return FileEntry(name=name, kind="file")
    return entry_of(name, status, link)


def entry_of(name: str, status: os.stat_result, link: str = "") -> FileEntry:
    """Build an entry from the result of stat(2)."""
    return FileEntry(
        name=name,
        kind=kind_of(status.st_mode),
        mode=stat.S_IMODE(status.st_mode),
        uid=status.st_uid,
        gid=status.st_gid,
        size=status.st_size,
        modified_ns=status.st_mtime_ns,
        link=link,
    )


def _read(root: int, path: str, size: int, offset: int) -> bytes:
    # Without opening it for reading first: opening a pipe or a device has effects.
    handle = open_in_root(root, path, os.O_PATH)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise NotFound(f"{safe(path)} is no regular file")
        file = os.open(f"/proc/self/fd/{handle}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    finally:
        os.close(handle)
    try:
        parts: list[bytes] = []
        while size > 0 and (part := os.pread(file, min(size, 1 << 20), offset)):
            parts.append(part)
            offset, size = offset + len(part), size - len(part)
        return b"".join(parts)
    finally:
        os.close(file)
