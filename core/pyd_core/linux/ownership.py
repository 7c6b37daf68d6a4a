"""Check whether users other than root may change a file, or a directory or link on its path.

It is also a program of its own, since it decides where an installation goes before there is one:
`python3 -I -S ownership.py PATH...` prints the first such path and exits with 1.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator

FIRST_USER_GID = 1000
"""Groups below are the system's own, as `staff` on Debian; a distribution gives them to administrators alone."""

MAX_LINKS = 40
"""Symbolic links that one path may lead through, as the kernel has it (path_resolution(7))."""


def first_changeable(paths: Iterable[str]) -> str | None:
    """Return the first file that users other than root may change or replace, of these and all below them.

    The directories above count too, and every symbolic link on the way. A path that doesn't exist is judged by the
    directories that do.
    """
    known: dict[str, bool] = {}
    for path in paths:
        for step in (*_leading_to(os.path.abspath(path)), *_below(os.path.realpath(path))):
            if step not in known:
                known[step] = _is_changeable(step)
            if known[step]:
                return step
    return None


def _leading_to(path: str) -> Iterator[str]:
    """Yield a path and all that it leads through, from the root on, links and their targets alike."""
    current, links = "/", 0
    yield current
    waiting = path.split("/")[::-1]
    while waiting:
        part = waiting.pop()
        if part in {"", "."}:
            continue
        if part == "..":
            current = os.path.dirname(current)
            continue
        step = os.path.join(current, part)
        yield step
        if os.path.islink(step) and links < MAX_LINKS:
            links += 1
            target = os.readlink(step)
            current = "/" if target.startswith("/") else current
            waiting += target.split("/")[::-1]
        else:
            current = step


def _below(path: str) -> Iterator[str]:
    for directory, directories, files in os.walk(path):
        for name in (*directories, *files):
            yield os.path.join(directory, name)


def _is_changeable(path: str) -> bool:
    try:
        status = os.lstat(path)
    except OSError:
        return False
    if status.st_uid != 0:
        return True
    if stat.S_ISLNK(status.st_mode):
        return False
    if stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX:
        return False  # who may write here can't replace what isn't theirs
    by_group = status.st_mode & stat.S_IWGRP and status.st_gid >= FIRST_USER_GID
    return bool(by_group or status.st_mode & stat.S_IWOTH)


if __name__ == "__main__":
    changeable = first_changeable(sys.argv[1:])
    if changeable is not None:
        sys.exit(changeable)
