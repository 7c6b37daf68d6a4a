"""Unpacking of layers: safe for any archive, and with few system calls per file.

Every parent is opened with `RESOLVE_IN_ROOT`, so no `..`, absolute name or link leaves the directory, and files are
created with `O_EXCL | O_NOFOLLOW` in that parent. Whiteouts (`.wh.NAME`, `.wh..wh..opq`; OCI image spec, layer.md)
become those of overlayfs: a character device 0/0 and the attribute `trusted.overlay.opaque`.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from pyd_core.errors import InvalidInput, KernelError
from pyd_core.linux.openat2 import RootDirectory
from pyd_core.linux.procfs import mount_id
from pyd_core.linux.tree import remove_tree
from pyd_core.linux.userns import CAPABILITIES, IdMap, of_root
from pyd_core.tar import whiteouts
from pyd_core.tar.entry import TarEntry
from pyd_core.tar.reader import ByteSource, TarReader

_MAX_PARENTS = 256
"""Maximum number of directories held open."""
_SPECIAL_NAMES = frozenset({b"", b".", b".."})
"""Final parts of a path that name nothing in its directory."""
_NEW_FILE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(kw_only=True)
class UnpackLimits:
    """Size from which an archive counts as a bomb."""

    bytes: int = 256 << 30
    entries: int = 5_000_000


class Unpacker:
    """Unpacker of one archive.

    Args:
        target: An existing directory that belongs to this engine.
        layer: Whether to apply whiteouts and create devices, as for a layer. Without it (`docker cp`), `.wh.` names are
            plain files and existing files are replaced.
        limits: The limits.
        prefix: The directory below the target that names in the archive are relative to.
        strict: Refuse to replace a directory with a file, and a file with a directory.
        ids: User namespace of the owners in the archive; None if they are the host's.
        owner: The user and group of everything, as `ids` has them; None for those in the archive.
    """

    def __init__(
        self,
        target: Path,
        *,
        layer: bool = True,
        limits: UnpackLimits | None = None,
        prefix: str = "",
        strict: bool = False,
        ids: IdMap | None = None,
        owner: tuple[int, int] | None = None,
    ) -> None:
        self._target = target
        self._layer = layer
        self._limits = limits or UnpackLimits()
        self._prefix = [part for part in os.fsencode(prefix).split(b"/") if part]
        self._strict = strict
        self._ids = ids
        self._owner = owner
        self._parents: OrderedDict[bytes, int] = OrderedDict()
        self._directories: list[tuple[bytes, int]] = []
        self.size = 0
        """Bytes of file contents unpacked, and of symbolic links' targets, as Docker Engine counts them."""

    def run(self, source: ByteSource) -> None:
        """Unpack the archive.

        Raises:
            InvalidInput: The archive is damaged, hostile or too large.
        """
        reader = TarReader(source)
        count = 0
        with RootDirectory(self._target) as root:
            self._root = root
            try:
                for entry in reader:
                    count += 1
                    if entry.kind == b"0":
                        self.size += entry.size
                    elif entry.kind == b"2":
                        self.size += len(entry.link)
                    if count > self._limits.entries or self.size > self._limits.bytes:
                        raise InvalidInput("the archive grows beyond all bounds", reference="bad-archive")
                    if self._owner is not None:
                        entry.uid, entry.gid = self._owner
                    if self._ids is not None:
                        _translate_ids(self._ids, entry)
                    try:
                        self._unpack_member(entry, reader)
                    except (OSError, KernelError) as error:
                        if error.errno == errno.ENOSPC:
                            raise
                        reason = os.strerror(error.errno or 0).lower()
                        raise InvalidInput(
                            f"can't unpack {_quote(entry.name)}: {reason}", reference="bad-archive"
                        ) from error
                self._set_directory_times()
            finally:
                for fd in self._parents.values():
                    os.close(fd)
                self._parents.clear()

    def _open_parent(self, path: bytes) -> int:
        fd = self._parents.get(path)
        if fd is not None:
            self._parents.move_to_end(path)
            return fd
        fd = self._open_in_held(path)
        if fd < 0:
            fd = self._root.make_directories(os.fsdecode(path) or "/")
        self._hold(path, fd)
        return fd

    def _hold(self, path: bytes, fd: int) -> None:
        self._parents[path] = fd
        if len(self._parents) > _MAX_PARENTS:
            os.close(self._parents.popitem(last=False)[1])

    def _open_in_held(self, path: bytes) -> int:
        """Open a directory through its parent, if that is held open and this is not a link; return -1 otherwise."""
        parent, _, name = path.rpartition(b"/")
        parent_fd = self._parents.get(parent)
        if parent_fd is None or not name:
            return -1
        try:
            return os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent_fd)
        except OSError:
            return -1

    def _forget(self, path: bytes) -> None:
        for path_ in [held for held in self._parents if held == path or held.startswith(path + b"/")]:
            os.close(self._parents.pop(path_))

    def _split(self, full: bytes) -> tuple[bytes, bytes]:
        """Return a member's directory and its name there, both empty for the target directory itself."""
        directory, _, name = full.rstrip(b"/").rpartition(b"/")
        if directory in self._parents and name not in _SPECIAL_NAMES and not self._prefix and b"\0" not in name:
            return directory, name  # most members follow one in the same directory, which was checked already
        parts = [part for part in full.split(b"/") if part not in {b"", b"."}]
        if b".." in parts or b"\0" in full:
            raise InvalidInput(f"the archive contains a name that leads out: {_quote(full)}", reference="bad-archive")
        if not parts:
            return b"", b""
        parts = [*self._prefix, *parts]
        return b"/".join(parts[:-1]), parts[-1]

    def _unpack_member(self, entry: TarEntry, reader: TarReader) -> None:
        directory, name = self._split(entry.name)
        if not name:
            if entry.kind == b"5" and not self._prefix:
                self._set_attributes(self._open_parent(b""), entry)
            return
        parent = self._open_parent(directory)
        if self._layer and whiteouts.is_whiteout(text := os.fsdecode(name)):
            self._create_whiteout(parent, text, directory)
            return
        match entry.kind:
            case b"0":
                self._create_file(parent, name, entry, reader, directory)
            case b"5":
                self._create_directory(parent, name, entry, directory)
            case b"2":
                self._remove_existing(parent, name, directory)
                os.symlink(entry.link, name, dir_fd=parent)
                self._set_link_attributes(name, parent, entry)
            case b"1":
                self._create_hard_link(parent, name, entry, directory)
            case b"3" | b"4" | b"6":
                self._remove_existing(parent, name, directory)
                kind = {b"3": stat.S_IFCHR, b"4": stat.S_IFBLK, b"6": stat.S_IFIFO}[entry.kind]
                self._create_node(parent, name, entry, kind)
            case other:
                raise InvalidInput(
                    f"the archive contains a member of unknown type {_quote(other)}", reference="bad-archive"
                )

    def _create_file(self, parent: int, name: bytes, entry: TarEntry, reader: TarReader, directory: bytes) -> None:
        try:
            fd = os.open(name, _NEW_FILE_FLAGS, 0o600, dir_fd=parent)
        except FileExistsError:
            self._remove_existing(parent, name, directory)
            fd = os.open(name, _NEW_FILE_FLAGS, 0o600, dir_fd=parent)
        try:
            for offset, part in reader.pieces():
                written = 0
                while written < len(part):
                    written += os.pwrite(fd, part[written:] if written else part, offset + written)
            if entry.fragments is not None:  # keep holes: a tiny archive can describe very large files
                os.ftruncate(fd, entry.size)
            os.fchown(fd, entry.uid, entry.gid)
            os.fchmod(fd, entry.mode)
            for key, value in entry.xattrs.items():
                _set_xattr(fd, key, value)
            os.utime(fd, ns=(entry.mtime_ns, entry.mtime_ns))
        finally:
            os.close(fd)

    def _create_directory(self, parent: int, name: bytes, entry: TarEntry, parent_path: bytes) -> None:
        path = _join(parent_path, name)
        try:
            os.mkdir(name, 0o700, dir_fd=parent)
        except FileExistsError:
            if not stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
                if self._strict:
                    raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
                self._remove_existing(parent, name, parent_path)
                os.mkdir(name, 0o700, dir_fd=parent)
        fd = self._open_parent(path)
        self._set_attributes(fd, entry)
        if entry.xattrs:
            readable_fd = os.open(".", os.O_RDONLY | os.O_CLOEXEC, dir_fd=fd)
            try:
                for key, value in entry.xattrs.items():
                    _set_xattr(readable_fd, key, value)
            finally:
                os.close(readable_fd)
        self._directories.append((path, entry.mtime_ns))

    def _create_hard_link(self, parent: int, name: bytes, entry: TarEntry, directory: bytes) -> None:
        target = [part for part in entry.link.split(b"/") if part not in {b"", b"."}]
        if not target or b".." in target:
            raise InvalidInput(
                f"the archive contains a link that leads out: {_quote(entry.link)}", reference="bad-archive"
            )
        target = [*self._prefix, *target]
        source = self._root.make_directories(os.fsdecode(b"/".join(target[:-1])) or "/")
        try:
            self._remove_existing(parent, name, directory)
            os.link(target[-1], name, src_dir_fd=source, dst_dir_fd=parent, follow_symlinks=False)
        finally:
            os.close(source)

    def _create_whiteout(self, parent: int, name: str, directory: bytes) -> None:
        if name == whiteouts.OPAQUE:
            fd = os.open(".", os.O_RDONLY | os.O_CLOEXEC, dir_fd=parent)
            try:
                os.setxattr(fd, "trusted.overlay.opaque", b"y")
            finally:
                os.close(fd)
            return
        hidden = whiteouts.hidden_name(name)
        if hidden is None or whiteouts.is_whiteout(hidden) or hidden in {"", ".", ".."}:
            return  # aufs's own bookkeeping, which old layers still contain
        self._remove_existing(parent, os.fsencode(hidden), directory)
        try:
            os.mknod(hidden, stat.S_IFCHR | 0o000, os.makedev(0, 0), dir_fd=parent)
        except PermissionError:  # the layers are on an overlay, which reserves such nodes
            os.close(
                os.open(name, _NEW_FILE_FLAGS, 0o600, dir_fd=parent)
            )  # fuse-overlayfs understands the archive's own form

    def _remove_existing(self, parent: int, name: bytes, directory: bytes) -> None:
        if not self._layer:
            _refuse_mount(parent, name)
        try:
            os.unlink(name, dir_fd=parent)
        except FileNotFoundError:
            return
        except IsADirectoryError:
            if self._strict:
                raise
            remove_tree(os.fsdecode(name), dir_fd=parent, one_file_system=True)
        self._forget(_join(directory, name))  # a link to a directory may have been a parent too

    def _create_node(self, parent: int, name: bytes, entry: TarEntry, kind: int) -> None:
        """Create a device or a pipe; a container may replace it before its owner is set."""
        device = os.makedev(entry.major, entry.minor) if kind != stat.S_IFIFO else 0
        os.mknod(name, kind | 0o600, device, dir_fd=parent)
        fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        try:
            status = os.fstat(fd)
            if (stat.S_IFMT(status.st_mode), status.st_rdev) != (kind, device):
                raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
            proc_path = Path(f"/proc/self/fd/{fd}")  # chmod(2) doesn't accept an `O_PATH` descriptor
            os.chown(proc_path, entry.uid, entry.gid)
            proc_path.chmod(entry.mode)
            os.utime(proc_path, ns=(entry.mtime_ns, entry.mtime_ns))
        finally:
            os.close(fd)

    def _set_attributes(self, parent: int, entry: TarEntry) -> None:
        """Set owner, mode and time of a directory that is held open."""
        os.chown(".", entry.uid, entry.gid, dir_fd=parent)
        os.chmod(".", entry.mode, dir_fd=parent)
        os.utime(".", ns=(entry.mtime_ns, entry.mtime_ns), dir_fd=parent)

    def _set_link_attributes(self, name: bytes, parent: int, entry: TarEntry) -> None:
        os.chown(name, entry.uid, entry.gid, dir_fd=parent, follow_symlinks=False)
        os.utime(name, ns=(entry.mtime_ns, entry.mtime_ns), dir_fd=parent, follow_symlinks=False)

    def _set_directory_times(self) -> None:
        for path, mtime in self._directories:
            fd = self._parents.get(path, -1)
            if fd < 0:
                fd = self._open_in_held(path)
                try:
                    fd = self._root.open(path, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW) if fd < 0 else fd
                except KernelError:
                    continue  # a later entry replaced it
                self._hold(path, fd)
            os.utime(".", ns=(mtime, mtime), dir_fd=fd)


def _refuse_mount(parent: int, name: bytes) -> None:
    """Refuse to remove a mount point.

    The kernel refuses it only in the mount's own namespace; elsewhere it removes the mount as well.

    Raises:
        OSError: It is a mount point (`EBUSY`).
    """
    try:
        fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    except FileNotFoundError:
        return
    try:
        if mount_id(fd) != mount_id(parent):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
    finally:
        os.close(fd)


def _translate_ids(ids: IdMap, entry: TarEntry) -> None:
    host_ids = ids.outside(entry.uid, entry.gid)
    if host_ids is None:
        raise InvalidInput(f"the container has no user {entry.uid} or no group {entry.gid}", reference="bad-archive")
    entry.uid, entry.gid = host_ids
    if CAPABILITIES in entry.xattrs:
        entry.xattrs[CAPABILITIES] = of_root(entry.xattrs[CAPABILITIES], ids.root[0])


def _quote(name: bytes) -> str:
    return repr(name[:200].decode(errors="replace"))


def _join(directory: bytes, name: bytes) -> bytes:
    return directory + b"/" + name if directory else name


def _set_xattr(fd: int, key: str, value: bytes) -> None:
    if key.startswith("trusted.overlay."):
        return  # the file system's own attributes are never taken from an archive
    try:
        os.setxattr(fd, key, value)
    except OSError as error:
        if error.errno not in {errno.EOPNOTSUPP, errno.EPERM}:
            raise
