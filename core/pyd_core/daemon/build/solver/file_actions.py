"""The actions of file operations: copy, mkfile, mkdir, symlink, rm (moby/buildkit, `solver/pb/ops.proto`)."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

from pyd_core.buildkit.proto import ops_pb2
from pyd_core.daemon.build.solver import tree_walk
from pyd_core.daemon.build.solver.keys import CopySelection
from pyd_core.daemon.build.solver.modes import ModeChange
from pyd_core.daemon.build.solver.patterns import compile_name, has_wildcard
from pyd_core.daemon.build.solver.tree_copy import CopyOptions, TreeCopier, make_directories
from pyd_core.daemon.images.streams import HashingReader, decompress
from pyd_core.errors import InvalidInput, KernelError, PydError
from pyd_core.linux.openat2 import RootDirectory, reopen
from pyd_core.linux.tree import remove_tree
from pyd_core.tar.reader import TarReader
from pyd_core.tar.unpack import Unpacker

MAX_FILE_BYTES = 16 << 20
"""Data of a `mkfile`."""


class FileOperations:
    """Applies actions to a file system.

    Args:
        target: The file system that is changed.
        check: Called at each file; raises to stop.
    """

    def __init__(self, target: RootDirectory, *, check: Callable[[], None] = lambda: None) -> None:
        self._target = target
        self._check = check

    def apply(self, action: ops_pb2.FileAction, source: RootDirectory | None, owner: tuple[int, int] | None) -> None:
        """Apply an action.

        Args:
            action: The action.
            source: The file system that a copy reads.
            owner: User and group of what is made; None keeps a copy's, and root otherwise.

        Raises:
            InvalidInput: It can't be applied.
        """
        kind = action.WhichOneof("action")
        try:
            match kind:
                case "copy":
                    if source is None:
                        raise InvalidInput("a copy has no source")
                    self._copy(action.copy, source, owner)
                case "mkfile":
                    self._make_file(action.mkfile, owner or (0, 0))
                case "mkdir":
                    self._make_directory(action.mkdir, owner or (0, 0))
                case "symlink":
                    self._make_link(action.symlink, owner or (0, 0))
                case "rm":
                    self._remove(action.rm)
                case _:
                    raise InvalidInput(f"unknown action of a file operation: {kind}", reference="unknown-operation")
        except (KernelError, OSError) as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise InvalidInput(f"no space left on device while copying ({kind})", reference="disk-full") from error
            raise InvalidInput(f"{kind}: {error}") from error

    def _copy(self, copy: ops_pb2.FileActionCopy, source: RootDirectory, owner: tuple[int, int] | None) -> None:
        selection = CopySelection(copy.src, follow_link=copy.followSymlink, wildcards=copy.allowWildcard)
        self._require(copy, source)
        paths = tree_walk.sources(source, selection)
        if not paths and not copy.allowEmptyWildcard:
            raise InvalidInput(f"{copy.src[:300]} not paths", reference="copy-source-missing")
        destination = tree_walk.clean(copy.dest)
        if not copy.createDestPath:
            parent = destination.rstrip("/").rpartition("/")[0] or "/"
            os.close(self._target.open(parent, os.O_PATH | os.O_DIRECTORY))
        options = CopyOptions(
            owner=owner,
            mode=_mode(copy),
            mtime_ns=_time(copy.timestamp),
            contents=copy.dirCopyContents,
            follow_link=copy.followSymlink,
            replace=copy.alwaysReplaceExistingDestPaths,
            include=tuple(copy.include_patterns),
            exclude=tuple(copy.exclude_patterns),
        )
        for path in paths:
            if copy.attemptUnpackDockerCompatibility and self._unpack(source, path, destination, options):
                continue
            TreeCopier(source, self._target, options, check=self._check).copy(path, destination)

    def _require(self, copy: ops_pb2.FileActionCopy, source: RootDirectory) -> None:
        for path in copy.required_paths:
            selection = CopySelection(path, follow_link=copy.followSymlink, wildcards=copy.allowWildcard)
            paths = tree_walk.sources(source, selection)
            for name in paths or [path]:
                try:
                    os.close(tree_walk.open_source(source, tree_walk.clean(name), follow_link=False))
                except KernelError as error:
                    raise InvalidInput(f"{path[:300]}: not paths", reference="copy-source-missing") from error

    def _unpack(self, source: RootDirectory, path: str, destination: str, options: CopyOptions) -> bool:
        """Unpack an archive into a directory; return False for other files."""
        try:
            handle = tree_walk.open_source(source, path, follow_link=True)
        except KernelError:
            return False
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return False
            with os.fdopen(reopen(handle, os.O_RDONLY | os.O_NOCTTY), "rb") as raw:
                if not _is_archive(raw):
                    return False
                os.close(make_directories(self._target, destination, owner=options.owner, mtime_ns=options.mtime_ns))
                raw.seek(0)
                unpacker = Unpacker(
                    Path(f"/proc/self/fd/{self._target.fd}"), layer=False, prefix=destination.strip("/")
                )
                unpacker.run(HashingReader(decompress(raw), on_progress=self._check))
        finally:
            os.close(handle)
        return True

    def _make_file(self, make: ops_pb2.FileActionMkFile, owner: tuple[int, int]) -> None:
        if len(make.data) > MAX_FILE_BYTES:
            raise InvalidInput("mkfile: the file is too large")
        fd = self._open_new(make.path)
        try:
            with os.fdopen(os.dup(fd), "wb") as file:
                file.write(make.data)
            os.fchown(fd, *owner)
            os.fchmod(fd, make.mode & 0o7777)
            _set_time(fd, make.timestamp)
        finally:
            os.close(fd)

    def _open_new(self, path: str) -> int:
        """Open a file for writing, emptied if it exists; a device or pipe is never opened."""
        try:
            handle = self._target.open(path, os.O_PATH)
        except KernelError as error:
            if error.errno != errno.ENOENT:
                raise
            return self._target.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise InvalidInput(f"mkfile: {path[:300]} is no regular file")
            return reopen(handle, os.O_WRONLY | os.O_TRUNC | os.O_NOCTTY)
        finally:
            os.close(handle)

    def _make_directory(self, make: ops_pb2.FileActionMkDir, owner: tuple[int, int]) -> None:
        path = tree_walk.clean(make.path).rstrip("/") or "/"
        time = _time(make.timestamp)
        if make.makeParents:
            os.close(make_directories(self._target, path, mode=make.mode & 0o7777, owner=owner, mtime_ns=time))
            return
        above, _, name = path.rpartition("/")
        parent = self._target.open(above or "/", os.O_PATH | os.O_DIRECTORY)
        try:
            try:
                os.mkdir(name, make.mode & 0o7777, dir_fd=parent)
            except FileExistsError:
                os.close(self._target.open(path, os.O_PATH | os.O_DIRECTORY))
                return
            fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
            try:
                os.fchown(fd, *owner)
                os.fchmod(fd, make.mode & 0o7777)
                _set_time(fd, make.timestamp)
            finally:
                os.close(fd)
        finally:
            os.close(parent)

    def _make_link(self, make: ops_pb2.FileActionSymlink, owner: tuple[int, int]) -> None:
        above, _, name = tree_walk.clean(make.newpath).rstrip("/").rpartition("/")
        parent = self._target.open(above or "/", os.O_PATH | os.O_DIRECTORY)
        try:
            os.symlink(make.oldpath, name, dir_fd=parent)
            os.chown(name, *owner, dir_fd=parent, follow_symlinks=False)
            time = _time(make.timestamp)
            if time is not None:
                os.utime(name, ns=(time, time), dir_fd=parent, follow_symlinks=False)
        finally:
            os.close(parent)

    def _remove(self, remove: ops_pb2.FileActionRm) -> None:
        above, _, name = tree_walk.clean(remove.path).rstrip("/").rpartition("/")
        if not name:
            raise InvalidInput("rm: the root can't be removed")
        parents = [above or "/"]
        if remove.allowWildcard and any(map(has_wildcard, above.split("/"))):
            parents = tree_walk.sources(self._target, CopySelection(above, wildcards=True))
        removed = 0
        for directory in parents:
            try:
                fd = self._target.open(directory, os.O_RDONLY | os.O_DIRECTORY)
            except KernelError as error:
                if error.errno != errno.ENOENT:
                    raise
                continue
            try:
                names = [name]
                if remove.allowWildcard and has_wildcard(name):
                    pattern = compile_name(name)
                    names = [entry for entry in os.listdir(fd) if pattern.fullmatch(entry)]  # noqa: PTH208
                for entry in names:
                    try:
                        remove_tree(entry, dir_fd=fd)
                        removed += 1
                    except FileNotFoundError:
                        continue
            finally:
                os.close(fd)
        if not removed and not remove.allowNotFound:
            raise InvalidInput(f"rm: {remove.path[:300]}: no such file or directory")


def _mode(copy: ops_pb2.FileActionCopy) -> ModeChange | None:
    if copy.modeStr:
        return ModeChange.parse(copy.modeStr)
    return ModeChange(octal=copy.mode & 0o7777) if copy.mode != -1 else None


def _time(timestamp: int) -> int | None:
    """Return a time in nanoseconds since 1970; -1 stands for none."""
    return None if timestamp == -1 else timestamp


def _set_time(fd: int, timestamp: int) -> None:
    time = _time(timestamp)
    if time is not None:
        os.utime(fd, ns=(time, time))


def _is_archive(raw: object) -> bool:
    """Return whether a file is a tar, compressed or not."""
    try:
        return next(iter(TarReader(HashingReader(decompress(raw)))), None) is not None  # type: ignore[arg-type]
    except (PydError, OSError, EOFError):
        return False
