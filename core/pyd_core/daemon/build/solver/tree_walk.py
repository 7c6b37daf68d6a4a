"""Walks of a source tree by descriptor, with patterns that choose what is visited."""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from pyd_core.daemon.build.solver.keys import CopySelection
from pyd_core.daemon.build.solver.patterns import PatternList, compile_name, has_wildcard
from pyd_core.errors import InvalidInput, KernelError
from pyd_core.linux.openat2 import RootDirectory
from pyd_core.linux.tree import TreeCursor

MAX_ENTRIES = 5_000_000
"""Files of one selection."""
MAX_MATCHES = 100_000
"""Sources that a wildcard may stand for."""


@dataclass(frozen=True, slots=True)
class Entered:
    """The walk has entered a directory."""

    path: str
    """Relative to the top; empty for the top."""
    name: str
    status: os.stat_result
    xattrs: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Left:
    """The walk has left the directory that it entered last."""


@dataclass(frozen=True, slots=True)
class Visited:
    """The walk is at something that is no directory, in the directory `parent`."""

    path: str
    name: str
    parent: int
    status: os.stat_result


Step = Entered | Left | Visited


def sources(root: RootDirectory, selection: CopySelection) -> list[str]:
    """Return the paths that a selection's path stands for, sorted; only wildcards may stand for none."""
    path = clean(selection.path)
    parts = [part for part in path.split("/") if part and part != "."]
    if not selection.wildcards or not any(map(has_wildcard, parts)):
        return [path]
    candidates = [""]
    for part in parts:
        if not has_wildcard(part):
            candidates = [f"{candidate}/{part}" for candidate in candidates]
            continue
        pattern = compile_name(part)
        candidates = [
            f"{candidate}/{name}"
            for candidate in candidates
            for name in _names(root, candidate or "/")
            if pattern.fullmatch(name)
        ]
        if len(candidates) > MAX_MATCHES:
            raise InvalidInput(f"the pattern {selection.path[:80]!r} matches more than {MAX_MATCHES} files")
    return [candidate for candidate in candidates if _exists(root, candidate)]


def clean(path: str) -> str:
    """Return a path made absolute without `..`; a slash or `/.` at its end stays."""
    cleaned = posixpath.normpath("/" + path.lstrip("/"))
    if cleaned != "/" and path.endswith("/."):
        return f"{cleaned}/."
    return f"{cleaned}/" if cleaned != "/" and path.endswith("/") else cleaned


def _names(root: RootDirectory, path: str) -> list[str]:
    try:
        fd = root.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NONBLOCK)
    except KernelError:
        return []
    try:
        return sorted(os.listdir(fd))  # noqa: PTH208 - a descriptor
    finally:
        os.close(fd)


def _exists(root: RootDirectory, path: str) -> bool:
    try:
        os.close(root.open(path, os.O_PATH | os.O_NOFOLLOW))
    except KernelError:
        return False
    return True


def open_source(root: RootDirectory, path: str, *, follow_link: bool) -> int:
    """Open a source as an `O_PATH` descriptor.

    Raises:
        NotFound: It doesn't exist.
    """
    is_directory = path.endswith(("/", "/."))
    flags = os.O_PATH | (0 if follow_link or is_directory else os.O_NOFOLLOW)
    return root.open(path.rstrip("/") or "/", flags)


def read_xattrs(fd: int | str) -> dict[str, bytes]:
    """Return the extended attributes of a file, without the file system's own."""
    try:
        names = os.listxattr(fd)
        return {name: os.getxattr(fd, name) for name in names if not name.startswith("trusted.overlay.")}
    except OSError as error:
        if error.errno in {errno.EOPNOTSUPP, errno.EPERM, errno.ENODATA}:
            return {}
        raise


def walk(top: int, include: PatternList | None, exclude: PatternList | None) -> Iterator[Step]:
    """Walk a directory. With `include`, a directory is entered only if something below it is visited.

    Args:
        top: A descriptor of the directory.
        include: Patterns of what is visited; None visits everything.
        exclude: Patterns of what isn't.
    """
    count = 0
    with TreeCursor(top) as cursor:
        prefix = ""
        waiting: list[Entered] = [Entered("", "", os.fstat(cursor.fd), read_xattrs(cursor.fd))]
        announced = 0
        levels = [cursor.names()[::-1]]
        if include is None:
            yield from waiting
            announced = 1
        while levels:
            if not levels[-1]:
                levels.pop()
                entered = waiting.pop()
                if announced > len(waiting):
                    announced = len(waiting)
                    yield Left()
                if levels:
                    cursor.leave()
                    prefix = prefix[: len(prefix) - len(entered.name) - 1]
                continue
            name = levels[-1].pop()
            path = prefix + name
            count += 1
            if count > MAX_ENTRIES:
                raise InvalidInput(f"more than {MAX_ENTRIES} files")
            status = os.stat(name, dir_fd=cursor.fd, follow_symlinks=False)
            is_directory = stat.S_ISDIR(status.st_mode)
            is_excluded = exclude is not None and exclude.matches(path)
            if is_excluded and not (is_directory and exclude is not None and exclude.has_exceptions):
                continue
            is_included = not is_excluded and (include is None or include.matches(path))
            if not is_directory:
                if is_included:
                    yield from waiting[announced:]
                    announced = len(waiting)
                    yield Visited(path, name, cursor.fd, status)
                continue
            cursor.enter(name)
            prefix = f"{path}/"
            waiting.append(Entered(path, name, status, read_xattrs(cursor.fd)))
            levels.append(cursor.names()[::-1])
            if is_included:
                yield from waiting[announced:]
                announced = len(waiting)
