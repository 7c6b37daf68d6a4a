"""Copies of files and directories between file systems of a build, as BuildKit copies them (tonistiigi/fsutil, `copy`).

Both sides are hostile: each path is opened by descriptor inside its own root, and nothing but regular files and
directories is opened for reading.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pyd_core.daemon.build.solver import tree_walk
from pyd_core.daemon.build.solver.modes import ModeChange
from pyd_core.daemon.build.solver.patterns import PatternList
from pyd_core.errors import InvalidInput, KernelError
from pyd_core.linux.openat2 import RootDirectory, reopen
from pyd_core.linux.tree import remove_tree

CHUNK_BYTES = 1 << 20
MAX_COPY_BYTES = 1 << 30
"""Bytes that copy_file_range(2) gets at once."""
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
MAX_HELD_TARGETS = 4000
"""Levels of a copied tree."""


@dataclass(frozen=True, kw_only=True)
class CopyOptions:
    """Options of a copy.

    Attributes:
        owner: User and group of every copy; None keeps each file's.
        mode: Change of every copy's permissions.
        mtime_ns: Modification time of every copy; None keeps each file's.
        replace: Whether a file replaces a directory at its place, and a directory a file.
    """

    owner: tuple[int, int] | None = None
    mode: ModeChange | None = None
    mtime_ns: int | None = None
    contents: bool = False
    """Whether a directory's contents are copied instead of the directory."""
    follow_link: bool = False
    replace: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


class TreeCopier:
    """Copier of one action.

    Args:
        source: The file system that is read.
        target: The file system that is changed.
        options: How files are copied.
        check: Called at each file; raises to stop.
    """

    def __init__(
        self,
        source: RootDirectory,
        target: RootDirectory,
        options: CopyOptions,
        *,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._source = source
        self._target = target
        self._options = options
        self._check = check
        self._links: dict[tuple[int, int], tuple[int, str]] = {}
        self._held: list[int] = []

    def copy(self, path: str, destination: str) -> None:
        """Copy what a path names to a destination, where missing directories are made.

        Raises:
            InvalidInput: The source is missing, or something is in the way.
        """
        options = self._options
        directory, _, name = destination.rpartition("/")
        parent = directory if name not in {"", "."} else destination.rstrip(".")
        os.close(self._make_directories(parent or "/"))
        fd = self._open_source(path)
        try:
            status = os.fstat(fd)
            is_directory = stat.S_ISDIR(status.st_mode)
            final = destination.rstrip("/") or "/"
            if final.endswith("/."):
                final = final[:-2] or "/"
            if self._is_directory(final) and not (is_directory and options.contents):
                base = path.rstrip("/").rpartition("/")[2]
                final = f"{final.rstrip('/')}/{base}" if base not in {"", "."} else final
            if is_directory:
                if options.contents:  # BuildKit makes this one as a parent, without the modes of source and --chmod
                    os.close(self._make_directories(final))
                self._copy_tree(fd, final)
            else:
                above, _, last = final.rpartition("/")
                target = self._make_directories(above or "/")
                try:
                    resolved = self._resolve_name(target, above, last)
                    target = resolved[0]
                    self._copy_node(fd, status, target, resolved[1])
                finally:
                    os.close(target)
        finally:
            os.close(fd)
            for held in self._held:
                os.close(held)
            self._held.clear()
            self._links.clear()

    def _open_source(self, path: str) -> int:
        try:
            return tree_walk.open_source(self._source, path, follow_link=self._options.follow_link)
        except KernelError as error:
            if error.errno == errno.ENOENT:
                raise InvalidInput(
                    f"lstat {path[:300]}: no such file or directory", reference="copy-source-missing"
                ) from error
            raise InvalidInput(f"can't open {path[:300]}: {os.strerror(error.errno)}") from error

    def _is_directory(self, path: str) -> bool:
        try:
            os.close(self._target.open(path, os.O_PATH | os.O_DIRECTORY))
        except KernelError:
            return False
        return True

    def _resolve_name(self, parent: int, directory: str, name: str) -> tuple[int, str]:
        """Follow links at the end of a destination, inside the root; takes and returns the parent's descriptor."""
        for _ in range(40):
            try:
                link = os.readlink(name, dir_fd=parent)
            except OSError:
                return parent, name
            os.close(parent)
            full = link if link.startswith("/") else f"{directory}/{link}"
            directory, _, name = full.rstrip("/").rpartition("/")
            if name in {"", ".", ".."}:
                raise InvalidInput("the destination is a link to a directory that doesn't exist")
            parent = self._make_directories(directory or "/")
        raise InvalidInput("too many links at the destination")

    def _make_directories(self, path: str) -> int:
        """Make missing directories with the owner and time of copies; return a descriptor of the last."""
        try:
            return make_directories(self._target, path, owner=self._options.owner, mtime_ns=self._options.mtime_ns)
        except KernelError as error:
            raise InvalidInput(f"can't make the directory {path[:300]}: {os.strerror(error.errno)}") from error

    # Trees

    def _copy_tree(self, fd: int, destination: str) -> None:
        options = self._options
        include = PatternList(options.include) if options.include else None
        exclude = PatternList(options.exclude) if options.exclude else None
        stack: list[tuple[int, bool, os.stat_result, dict[str, bytes]]] = []
        try:
            for step in tree_walk.walk(fd, include, exclude):
                self._check()
                if isinstance(step, tree_walk.Visited):
                    self._copy_visited(step, stack[-1][0])
                elif isinstance(step, tree_walk.Left):
                    target, applies, status, xattrs = stack.pop()
                    try:
                        if applies:
                            self._finish_directory(target, status, xattrs)
                    finally:
                        os.close(target)
                elif not stack:
                    target, is_new = self._enter_top(destination)
                    stack.append((target, is_new, step.status, step.xattrs))
                else:
                    if len(stack) > MAX_HELD_TARGETS:
                        raise InvalidInput(f"directories are nested deeper than {MAX_HELD_TARGETS} levels")
                    target, _ = self._enter_directory(stack[-1][0], step.name)
                    stack.append((target, True, step.status, step.xattrs))
        finally:
            for target, *_ in stack:
                os.close(target)

    def _enter_top(self, destination: str) -> tuple[int, bool]:
        """Open the destination of a tree; return whether it is new."""
        if self._is_directory(destination):
            return self._target.open(destination, os.O_RDONLY | os.O_DIRECTORY), False
        above, _, name = destination.rpartition("/")
        parent = self._make_directories(above or "/")
        try:
            return self._enter_directory(parent, name)
        finally:
            os.close(parent)

    def _enter_directory(self, parent: int, name: str) -> tuple[int, bool]:
        try:
            os.mkdir(name, 0o700, dir_fd=parent)
        except FileExistsError:
            existing = os.stat(name, dir_fd=parent, follow_symlinks=False)
            if stat.S_ISDIR(existing.st_mode):
                return os.open(name, _DIRECTORY, dir_fd=parent), False
            if not self._options.replace:
                raise InvalidInput(f"cannot copy to non-directory: {name[:300]}") from None
            os.unlink(name, dir_fd=parent)
            os.mkdir(name, 0o700, dir_fd=parent)
        return os.open(name, _DIRECTORY, dir_fd=parent), True

    def _finish_directory(self, target: int, status: os.stat_result, xattrs: Mapping[str, bytes]) -> None:
        self._set_owner_and_mode(target, status)
        _set_xattrs(target, xattrs)
        mtime = status.st_mtime_ns if self._options.mtime_ns is None else self._options.mtime_ns
        os.utime(target, ns=(mtime, mtime))

    # Files

    def _copy_node(self, source: int, status: os.stat_result, parent: int, name: str) -> None:
        mode = status.st_mode
        if stat.S_ISSOCK(mode):
            return
        self._clear(parent, name)
        if status.st_nlink > 1 and self._link(status, parent, name):
            return
        if stat.S_ISREG(mode):
            self._copy_file(source, status, parent, name)
            return
        if stat.S_ISLNK(mode):
            os.symlink(os.readlink("", dir_fd=source), name, dir_fd=parent)
            uid, gid = self._options.owner or (status.st_uid, status.st_gid)
            os.chown(name, uid, gid, dir_fd=parent, follow_symlinks=False)
        else:
            os.mknod(name, stat.S_IFMT(mode) | 0o600, status.st_rdev, dir_fd=parent)
            uid, gid = self._options.owner or (status.st_uid, status.st_gid)
            os.chown(name, uid, gid, dir_fd=parent, follow_symlinks=False)
            os.chmod(name, self._mode(mode), dir_fd=parent)
        self._set_time(parent, name, status)

    def _set_time(self, parent: int, name: str, status: os.stat_result) -> None:
        mtime = status.st_mtime_ns if self._options.mtime_ns is None else self._options.mtime_ns
        os.utime(name, ns=(mtime, mtime), dir_fd=parent, follow_symlinks=False)

    def _link(self, status: os.stat_result, parent: int, name: str) -> bool:
        """Link a file that was copied already under another name; remember it otherwise."""
        key = (status.st_dev, status.st_ino)
        known = self._links.get(key)
        if known is None:
            if len(self._held) < MAX_HELD_TARGETS:
                self._held.append(os.dup(parent))
                self._links[key] = (self._held[-1], name)
            return False
        try:
            os.link(known[1], name, src_dir_fd=known[0], dst_dir_fd=parent, follow_symlinks=False)
        except OSError:
            return False
        return True

    def _clear(self, parent: int, name: str) -> None:
        try:
            os.unlink(name, dir_fd=parent)
        except FileNotFoundError:
            pass
        except IsADirectoryError:
            if not self._options.replace:
                raise InvalidInput(f"cannot replace to directory {name[:300]} with file") from None
            remove_tree(name, dir_fd=parent)

    def _copy_visited(self, step: tree_walk.Visited, target: int) -> None:
        """Copy what the walk is at. The source doesn't change meanwhile, so that a file stays one."""
        status = step.status
        if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
            source = os.open(step.name, _READ, dir_fd=step.parent)
            try:
                self._write_file(source, status, target, step.name)
            finally:
                os.close(source)
            return
        source = os.open(step.name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=step.parent)
        try:
            self._copy_node(source, status, target, step.name)
        finally:
            os.close(source)

    def _copy_file(self, source: int, status: os.stat_result, parent: int, name: str) -> None:
        reading = reopen(source, os.O_RDONLY | os.O_NOCTTY)
        try:
            self._write_file(reading, status, parent, name)
        finally:
            os.close(reading)

    def _write_file(self, reading: int, status: os.stat_result, parent: int, name: str) -> None:
        try:
            writing = os.open(name, _NEW_FILE, 0o600, dir_fd=parent)
        except FileExistsError:
            self._clear(parent, name)
            writing = os.open(name, _NEW_FILE, 0o600, dir_fd=parent)
        try:
            copy_content(reading, writing, status.st_size, self._check)
            self._set_owner_and_mode(writing, status)
            _set_xattrs(writing, tree_walk.read_xattrs(reading))
            mtime = status.st_mtime_ns if self._options.mtime_ns is None else self._options.mtime_ns
            os.utime(writing, ns=(mtime, mtime))
        finally:
            os.close(writing)

    def _set_owner_and_mode(self, fd: int, status: os.stat_result) -> None:
        uid, gid = self._options.owner or (status.st_uid, status.st_gid)
        os.fchown(fd, uid, gid)
        os.fchmod(fd, self._mode(status.st_mode))

    def _mode(self, mode: int) -> int:
        return stat.S_IMODE(mode) if self._options.mode is None else self._options.mode.apply(mode)


def copy_content(reading: int, writing: int, size: int, check: Callable[[], None]) -> None:
    """Copy a file's content; that of a large one in the kernel, where it can."""
    if size > CHUNK_BYTES:
        with contextlib.suppress(OSError):  # across file systems, or where the kernel doesn't have it
            while os.copy_file_range(reading, writing, MAX_COPY_BYTES):
                check()
    # One byte more than the file has, so that one read shows its end; a larger buffer would be mapped for each file.
    while data := os.read(reading, min(size + 1, CHUNK_BYTES)):
        check()
        view = memoryview(data)
        while view:
            view = view[os.write(writing, view) :]
        if len(data) == size:
            return


def _set_xattrs(fd: int, xattrs: Mapping[str, bytes]) -> None:
    for name, value in xattrs.items():
        try:
            os.setxattr(fd, name, value)
        except OSError as error:
            if error.errno not in {errno.EOPNOTSUPP, errno.EPERM}:
                raise


def make_directories(
    root: RootDirectory,
    path: str,
    *,
    mode: int = 0o755,
    owner: tuple[int, int] | None = None,
    mtime_ns: int | None = None,
) -> int:
    """Make a directory and its missing parents, also through links inside the root; return a descriptor.

    Raises:
        KernelError: Something that is no directory is in the way.
    """
    try:
        return root.open(path, os.O_PATH | os.O_DIRECTORY)
    except KernelError as error:
        if error.errno != errno.ENOENT:
            raise
    missing: list[str] = []
    above = path.rstrip("/")
    while above:
        try:
            os.close(root.open(above, os.O_PATH | os.O_DIRECTORY))
            break
        except KernelError as error:
            if error.errno != errno.ENOENT:
                raise
            missing.append(above)
            above = above.rpartition("/")[0]
    fd = root.make_directories(path, mode, owner=owner, through_links=True)
    for new in reversed(missing):  # the umask has cut the mode, and times are set once nothing is added any more
        with contextlib.suppress(KernelError):
            inner = root.open(new, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fchmod(inner, mode)
                if mtime_ns is not None:
                    os.utime(inner, ns=(mtime_ns, mtime_ns))
            finally:
                os.close(inner)
    return fd
