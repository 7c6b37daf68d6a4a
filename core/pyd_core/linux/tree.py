"""Walks of directory trees by descriptor, to measure or remove them, however deep they are.

Nothing here recurses, builds a path or follows a link, and few directories are open at a time: a container can nest
directories thousands deep, and move them while they are read.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

MAX_HELD_LEVELS = 64
"""Directories from the top that stay open; of the deeper ones only the one that is being looked at."""
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(slots=True)
class _Level:
    name: str
    device: int
    inode: int
    fd: int
    """-1 where it isn't open."""


class TreeCursor:
    """A place in a tree that is entered and left one directory at a time; a context manager that closes it.

    Args:
        top: A descriptor of the topmost directory, which may be `O_PATH`; it stays the caller's.

    Raises:
        OSError: The directory can't be read.
    """

    def __init__(self, top: int) -> None:
        self._levels: list[_Level] = []
        self._push("", os.open(".", _DIRECTORY, dir_fd=top))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        for level in self._levels:
            if level.fd >= 0:
                os.close(level.fd)
        self._levels.clear()

    @property
    def fd(self) -> int:
        """A descriptor of the present directory, closed when it is left or, deep down, when one inside is entered."""
        return self._levels[-1].fd

    @property
    def depth(self) -> int:
        """The number of directories between the top and here."""
        return len(self._levels) - 1

    @property
    def path(self) -> list[str]:
        """The names from the top to here."""
        return [level.name for level in self._levels[1:]]

    def names(self) -> list[str]:
        """Return what is in the present directory, sorted."""
        return sorted(os.listdir(self.fd))  # noqa: PTH208 - a descriptor

    def enter(self, name: str) -> None:
        """Go into a directory of the present one.

        Raises:
            OSError: It isn't there any more, or is something else by now.
        """
        fd = os.open(name, _DIRECTORY, dir_fd=self.fd)
        here = self._levels[-1]
        if len(self._levels) > MAX_HELD_LEVELS:
            os.close(here.fd)
            here.fd = -1
        self._push(name, fd)

    def _push(self, name: str, fd: int) -> None:
        try:
            status = os.fstat(fd)
        except BaseException:
            os.close(fd)
            raise
        self._levels.append(_Level(name, status.st_dev, status.st_ino, fd))

    def leave(self) -> str:
        """Go back up and return the name of what was left.

        Raises:
            OSError: The tree was moved meanwhile, so that the way back is lost (`ESTALE`).
        """
        left = self._levels.pop()
        try:
            above = self._levels[-1]
            if above.fd < 0:
                above.fd = self._reopen_parent(left.fd)
        finally:
            os.close(left.fd)
        return left.name

    def _reopen_parent(self, fd: int) -> int:
        """Open the last level by the way up from a directory that was in it, else by its names from the top."""
        above = self._levels[-1]
        with contextlib.suppress(OSError):
            parent = os.open("..", _DIRECTORY, dir_fd=fd)
            if _is_level(parent, above):
                return parent
            os.close(parent)
        number = max(index for index, level in enumerate(self._levels) if level.fd >= 0)
        here = os.dup(self._levels[number].fd)
        for level in self._levels[number + 1 :]:
            try:
                inside = os.open(level.name, _DIRECTORY, dir_fd=here)
            except OSError:
                raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), level.name) from None
            finally:
                os.close(here)
            here = inside
            if not _is_level(here, level):
                os.close(here)
                raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), level.name)
        return here


def _is_level(fd: int, level: _Level) -> bool:
    status = os.fstat(fd)
    return (status.st_dev, status.st_ino) == (level.device, level.inode)


def remove_tree(
    path: str | Path, *, dir_fd: int | None = None, ignore_errors: bool = False, one_file_system: bool = False
) -> None:
    """Remove a directory with all below it, or what else has the name; nothing may be mounted there.

    Args:
        path: What is removed.
        dir_fd: The directory a relative path begins in.
        ignore_errors: Whether what can't be removed is left without an error.
        one_file_system: Whether to refuse to enter what is mounted below (`EBUSY`).

    Raises:
        OSError: Something can't be removed.
    """
    try:
        _remove_tree(path, dir_fd, ignore_errors=ignore_errors, one_file_system=one_file_system)
    except OSError:
        if not ignore_errors:
            raise


def _remove_tree(path: str | Path, dir_fd: int | None, *, ignore_errors: bool, one_file_system: bool) -> None:
    try:
        os.unlink(path, dir_fd=dir_fd)
    except IsADirectoryError:
        pass
    else:
        return
    top = os.open(path, _DIRECTORY, dir_fd=dir_fd)
    try:
        with TreeCursor(top) as cursor:
            _empty(cursor, ignore_errors=ignore_errors, one_file_system=one_file_system)
    finally:
        os.close(top)
    os.rmdir(path, dir_fd=dir_fd)


def _empty(cursor: TreeCursor, *, ignore_errors: bool, one_file_system: bool) -> None:
    device = os.fstat(cursor.fd).st_dev
    pending = [cursor.names()]
    while pending:
        try:
            if pending[-1]:
                name = pending[-1].pop()
                try:
                    os.unlink(name, dir_fd=cursor.fd)
                except FileNotFoundError:
                    pass
                except IsADirectoryError:
                    cursor.enter(name)
                    pending.append([])  # first: each level has its names, also where they can't be read
                    if one_file_system and os.fstat(cursor.fd).st_dev != device:
                        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), name) from None
                    pending[-1] = cursor.names()
            else:
                pending.pop()
                if pending:
                    os.rmdir(cursor.leave(), dir_fd=cursor.fd)
        except OSError as error:
            if not ignore_errors or error.errno == errno.ESTALE:
                raise


def tree_size(path: str | Path) -> int:
    """Return the bytes of the files below a directory, each counted once; 0 where there is no such directory."""
    seen: set[tuple[int, int]] = set()
    total = 0
    try:
        top = os.open(path, _DIRECTORY)
    except OSError:
        return 0
    try:
        with TreeCursor(top) as cursor:
            pending = [cursor.names()]
            while pending:
                if not pending[-1]:
                    pending.pop()
                    if pending:
                        cursor.leave()
                    continue
                name = pending[-1].pop()
                with contextlib.suppress(OSError):  # gone since it was listed
                    status = os.stat(name, dir_fd=cursor.fd, follow_symlinks=False)
                    if stat.S_ISDIR(status.st_mode):
                        cursor.enter(name)
                        pending.append([])
                        pending[-1] = cursor.names()
                    elif (status.st_dev, status.st_ino) not in seen:
                        seen.add((status.st_dev, status.st_ino))
                        total += status.st_size
    except OSError:
        return total
    finally:
        os.close(top)
    return total
