"""Walk of a local directory in the order and form in which BuildKit receives it (tonistiigi/fsutil, `walker.go`)."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pyd_core.buildkit.client.path_filter import FilterState, PathFilter
from pyd_core.buildkit.go_mode import to_go_mode
from pyd_core.buildkit.proto import fsutil_stat_pb2
from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe

_HOST_ATTRIBUTES = frozenset({"security.selinux", "security.ima", "security.evm"})
"""Extended attributes that mean something on this host only."""


class DirectoryWalk:
    """The files of a directory that a filter accepts, parents before children, names in the order of their bytes.

    Owners are root, as buildx sends them: images don't depend on who builds them.

    Args:
        root: The directory.
        path_filter: Chooses the files.
    """

    def __init__(self, root: Path, path_filter: PathFilter) -> None:
        self._root = os.fspath(root)
        self._filter = path_filter
        self._hard_links: dict[tuple[int, int], str] = {}

    def __iter__(self) -> Iterator[fsutil_stat_pb2.Stat]:
        """Yield the files.

        Raises:
            InvalidInput: A directory or file can't be read, or a name isn't UTF-8.
        """
        return self._walk("", FilterState(), [])

    def _walk(
        self, directory: str, state: FilterState, parents: list[fsutil_stat_pb2.Stat]
    ) -> Iterator[fsutil_stat_pb2.Stat]:
        """Walk a directory; `parents` are sent before its first file, because they aren't accepted themselves."""
        try:
            with os.scandir(os.path.join(self._root, directory) if directory else self._root) as entries:  # noqa: PTH118 - for every file
                names = sorted(entries, key=lambda entry: os.fsencode(entry.name))
        except FileNotFoundError:
            if directory:
                return  # removed meanwhile
            raise InvalidInput(f"no such directory: {safe(self._root)}") from None
        except OSError as error:
            raise _unreadable(directory or self._root, error) from error
        for entry in names:
            path = f"{directory}/{entry.name}" if directory else entry.name
            is_directory = entry.is_dir(follow_symlinks=False)
            is_accepted, below = self._filter.match(path, state)
            if not is_accepted and not (is_directory and self._filter.may_contain(path, below)):
                continue
            item = self._stat(entry, path)
            if item is None:
                continue
            if is_accepted:
                yield from parents
                parents.clear()
                yield item
            if is_directory:
                above = [] if is_accepted else [*parents, item]
                count = len(above)
                yield from self._walk(path, below, above)
                if count and not above:
                    parents.clear()

    def _stat(self, entry: os.DirEntry[str], path: str) -> fsutil_stat_pb2.Stat | None:
        try:
            info = entry.stat(follow_symlinks=False)
            if stat.S_ISSOCK(info.st_mode):
                return None
            item = fsutil_stat_pb2.Stat(path=path, mode=to_go_mode(info.st_mode), modTime=info.st_mtime_ns)
            if stat.S_ISREG(info.st_mode):
                self._add_content(item, info, path)
            elif stat.S_ISLNK(info.st_mode):
                item.linkname = os.readlink(entry.path)  # noqa: PTH115 - pathlib would normalise the target
            elif stat.S_ISBLK(info.st_mode) or stat.S_ISCHR(info.st_mode):
                item.devmajor, item.devminor = os.major(info.st_rdev), os.minor(info.st_rdev)
            for name, value in _extended_attributes(entry.path).items():
                item.xattrs[name] = value
        except FileNotFoundError:
            return None  # removed meanwhile
        except OSError as error:
            raise _unreadable(path, error) from error
        except (UnicodeEncodeError, ValueError) as error:
            raise InvalidInput(
                f"the name {safe(path)} isn't UTF-8", hint="rename it, or list it in .dockerignore"
            ) from error
        return item

    def _add_content(self, item: fsutil_stat_pb2.Stat, info: os.stat_result, path: str) -> None:
        if info.st_nlink > 1:
            first = self._hard_links.setdefault((info.st_dev, info.st_ino), path)
            if first != path:
                item.linkname = first
                return
        item.size = info.st_size


def _extended_attributes(path: str) -> dict[str, bytes]:
    try:
        names = os.listxattr(path, follow_symlinks=False)
        return {name: os.getxattr(path, name, follow_symlinks=False) for name in names if name not in _HOST_ATTRIBUTES}
    except OSError as error:
        if error.errno in {errno.ENOTSUP, errno.ENODATA}:
            return {}
        raise


def _unreadable(path: str, error: OSError) -> InvalidInput:
    return InvalidInput(
        f"can't read {safe(path)}: {error.strerror}",
        hint="make it readable, or list it in .dockerignore",
        reference="unreadable-context",
    )
