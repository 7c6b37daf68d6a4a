"""The receiving side of fsutil's diff protocol: brings a kept directory to a client's state.

The client announces all its files, each as a STAT packet whose number is its id. The receiver requests those that it
lacks (REQ), gets their content as DATA packets, and acknowledges all with FIN. The client is hostile: paths must name
entries of directories that it announced before, and everything is written by descriptor inside of the directory.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pyd_core.buildkit.proto.fsutil_stat_pb2 import Stat
from pyd_core.buildkit.proto.fsutil_wire_pb2 import Packet
from pyd_core.daemon.build.interfaces import SyncedEntry
from pyd_core.daemon.build.session.announced_entries import announced_entry, check_path, is_same, set_xattrs
from pyd_core.daemon.build.session.file_modes import from_go
from pyd_core.errors import EngineError, InvalidInput
from pyd_core.linux.openat2 import open_in_root
from pyd_core.linux.tree import remove_tree
from pyd_core.sanitise import safe

MAX_FILES = 1_000_000
MAX_GROWTH_BYTES = 16 << 20
"""How much longer a file may be than it was announced: it may grow while it is sent."""
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OVERWRITE = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_DIRECTORY = os.O_PATH | os.O_DIRECTORY
_FIN = Packet(type=Packet.PACKET_FIN)


@dataclass(slots=True)
class _Incoming:
    """A file whose content was requested."""

    path: str
    stat: Stat
    mode: int
    replaces: bool = False
    first: bytes = b""
    fd: int = -1
    size: int = 0
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)


class TreeReceiver:
    """Receives one directory.

    Args:
        destination_fd: The directory; only this process changes it.
        previous: The entries that it holds; None where that isn't known, and all of it is removed first.

    Attributes:
        entries: What the client has announced so far, and has been received.
        complete: Whether everything was received and the client knows.
        transferred_bytes: Size of the content that was received.
    """

    def __init__(self, destination_fd: int, previous: Mapping[str, SyncedEntry] | None) -> None:
        self.entries: dict[str, SyncedEntry] = {}
        self.complete = False
        self.transferred_bytes = 0
        self._root = destination_fd
        self._previous = previous or {}
        self._known = previous is not None
        self._next_id = 0
        self._announced = False
        self._acknowledged = False
        self._incoming: dict[int, _Incoming] = {}
        self._hard_links: list[str] = []
        self._rewritten: set[str] = set()
        self._changed_directories: set[str] = set()
        self._parent_path: str | None = None
        self._parent_fd = -1

    def close(self) -> None:
        """Close all descriptors."""
        for file in self._incoming.values():
            if file.fd >= 0:
                os.close(file.fd)
                file.fd = -1
        self._forget_parent()

    def handle(self, packets: Iterable[Packet]) -> list[Packet]:
        """Process packets of the client, and return those to send back.

        Raises:
            InvalidInput: The client sent what no directory can hold, or what wasn't requested.
            EngineError: The client reported an error.
            OSError: The directory can't be written.
        """
        if not self._known:
            self._clear()
        responses: list[Packet] = []
        for packet in packets:
            kind = packet.type
            if kind == Packet.PACKET_DATA:
                self._data(packet.ID, packet.data)
            elif kind == Packet.PACKET_STAT:
                if not packet.HasField("stat"):
                    self._announced = True
                elif (request := self._stat(packet.stat)) is not None:
                    responses.append(request)
            elif kind == Packet.PACKET_ERR:
                raise EngineError(
                    f"the client can't send its files: {safe(packet.data[:500].decode(errors='replace'))}"
                )
            elif kind == Packet.PACKET_FIN:
                if not self._acknowledged:
                    raise InvalidInput("the client ended the transfer of its files early")
                self.complete = True
        if self._announced and not self._incoming and not self._acknowledged:
            self._finish()
            self._acknowledged = True
            responses.append(_FIN)
        return responses

    def _clear(self) -> None:
        self._known = True
        listing = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._root)
        try:
            with os.scandir(listing) as scan:
                names = [entry.name for entry in scan]
        finally:
            os.close(listing)
        for name in names:
            remove_tree(name, dir_fd=self._root)

    # What the client announces

    def _stat(self, announced: Stat) -> Packet | None:
        """Take an announced entry; return a request for its content if it has to be sent."""
        number = self._next_id
        self._next_id += 1
        path, mode = announced.path, from_go(announced.mode)
        if self._announced or number >= MAX_FILES:
            raise InvalidInput("the client announces too many files")
        check_path(path)
        parent, _, name = path.rpartition("/")
        if path in self.entries or not self._is_directory(parent):
            raise InvalidInput(f"the client announces {safe(path[:200])!r} where it can't be")
        if not mode or stat.S_ISSOCK(mode):
            return None
        entry = announced_entry(announced, mode)
        before = self._previous.get(path)
        self.entries[path] = entry
        is_link = stat.S_ISREG(mode) and bool(entry.linkname)
        if before is not None and is_same(entry, before):
            self.entries[path] = before
            if is_link:
                self._hard_links.append(path)
            return None
        if stat.S_ISDIR(mode):
            self._directory(parent, name, path, entry, before)
            return None
        # A file whose content changes is written over: new inodes are slow to get where many were just removed.
        replaces = before is not None and stat.S_ISREG(before.mode) and not before.linkname and not before.xattrs
        if not (replaces and stat.S_ISREG(mode) and not is_link):
            replaces = False
            self._remove(parent, name, before)
            self._changed_directories.add(parent)
        if is_link:
            self._hard_links.append(path)
            self._rewritten.add(path)
            return None
        if not stat.S_ISREG(mode):
            self._special(self._parent(parent), name, entry)
            return None
        self._rewritten.add(path)
        copy = Stat()
        copy.CopyFrom(announced)
        self._incoming[number] = _Incoming(path, copy, mode, replaces)
        return Packet(type=Packet.PACKET_REQ, ID=number)

    def _is_directory(self, path: str) -> bool:
        if not path:
            return True
        entry = self.entries.get(path)
        return entry is not None and stat.S_ISDIR(entry.mode)

    def _remove(self, parent: str, name: str, before: SyncedEntry | None) -> None:
        if before is not None:
            path = f"{parent}/{name}" if parent else name
            if self._parent_path is not None and f"{self._parent_path}/".startswith(f"{path}/"):
                self._forget_parent()
            self._unlink(parent, name)

    def _unlink(self, parent: str, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            try:
                os.unlink(name, dir_fd=self._parent(parent))
            except IsADirectoryError:
                remove_tree(name, dir_fd=self._parent(parent))

    def _directory(self, parent: str, name: str, path: str, entry: SyncedEntry, before: SyncedEntry | None) -> None:
        if before is None or not stat.S_ISDIR(before.mode):
            self._remove(parent, name, before)
            os.mkdir(name, 0o700, dir_fd=self._parent(parent))
            self._changed_directories.add(parent)
        self._changed_directories.add(path)
        above = self._parent(parent)
        os.chown(name, entry.uid, entry.gid, dir_fd=above, follow_symlinks=False)
        os.chmod(name, stat.S_IMODE(entry.mode), dir_fd=above)
        set_xattrs(f"/proc/self/fd/{above}/{name}", entry)

    def _special(self, parent: int, name: str, entry: SyncedEntry) -> None:
        if stat.S_ISLNK(entry.mode):
            os.symlink(entry.linkname, name, dir_fd=parent)
        else:
            os.mknod(name, stat.S_IFMT(entry.mode) | 0o600, os.makedev(entry.devmajor, entry.devminor), dir_fd=parent)
        os.chown(name, entry.uid, entry.gid, dir_fd=parent, follow_symlinks=False)
        if not stat.S_ISLNK(entry.mode):
            os.chmod(name, stat.S_IMODE(entry.mode), dir_fd=parent)
        os.utime(name, ns=(entry.mtime_ns, entry.mtime_ns), dir_fd=parent, follow_symlinks=False)

    # Content

    def _data(self, number: int, data: bytes) -> None:
        file = self._incoming.get(number)
        if file is None:
            raise InvalidInput("the client sends a file that wasn't requested")
        if not data:
            del self._incoming[number]
            self._end(file)
            return
        file.size += len(data)
        self.transferred_bytes += len(data)
        if file.size > file.stat.size + MAX_GROWTH_BYTES:
            raise InvalidInput(f"the client sends more of {safe(file.path[:200])!r} than it has announced")
        file.digest.update(data)
        if file.fd < 0:
            if not file.first:
                file.first = data  # most files have one packet: they are written at their end
                return
            file.fd = self._create(file)
        _write(file.fd, data)

    def _create(self, file: _Incoming) -> int:
        parent, _, name = file.path.rpartition("/")
        fd = self._open_present(parent, name) if file.replaces else -1
        if fd < 0:
            fd = os.open(name, _CREATE, 0o600, dir_fd=self._parent(parent))
        try:
            _write(fd, file.first)
        except BaseException:
            os.close(fd)
            raise
        file.first = b""
        return fd

    def _open_present(self, parent: str, name: str) -> int:
        """Open a file to write over it; -1 where it has another name too, and was removed therefore, or is missing."""
        above = self._parent(parent)
        try:
            fd = os.open(name, _OVERWRITE, dir_fd=above)
        except FileNotFoundError:
            return -1
        if os.fstat(fd).st_nlink > 1:
            os.close(fd)
            os.unlink(name, dir_fd=above)
            self._changed_directories.add(parent)
            return -1
        return fd

    def _end(self, file: _Incoming) -> None:
        fd = file.fd if file.fd >= 0 else self._create(file)
        try:
            entry = self.entries[file.path]
            if file.replaces:
                os.ftruncate(fd, file.size)
            if entry.uid or entry.gid:
                os.fchown(fd, entry.uid, entry.gid)
            os.fchmod(fd, stat.S_IMODE(entry.mode))
            if entry.xattrs:
                set_xattrs(fd, entry)
            os.utime(fd, ns=(entry.mtime_ns, entry.mtime_ns))
        finally:
            os.close(fd)
        self.entries[file.path] = announced_entry(file.stat, file.mode, digest=f"sha256:{file.digest.hexdigest()}")

    # The end

    def _finish(self) -> None:
        for path in reversed([path for path in self._previous if path not in self.entries]):
            parent, _, name = path.rpartition("/")
            if parent and not self._is_directory(parent):
                continue  # went with its directory
            if self._parent_path is not None and f"{self._parent_path}/".startswith(f"{path}/"):
                self._forget_parent()
            self._unlink(parent, name)
            self._changed_directories.add(parent)
        for path in self._hard_links:
            self._link(path)
        for path in self._changed_directories:
            if path:
                time = self.entries[path].mtime_ns
                parent, _, name = path.rpartition("/")
                os.utime(name, ns=(time, time), dir_fd=self._parent(parent), follow_symlinks=False)
        self._forget_parent()

    def _link(self, path: str) -> None:
        """Make a hard link, once the file that it leads to is complete."""
        entry = self.entries[path]
        target = self.entries.get(entry.linkname)
        if target is None or not stat.S_ISREG(target.mode) or target.linkname:
            raise InvalidInput(f"the client announces {safe(path[:200])!r} as a link to what isn't a file of its own")
        if path not in self._rewritten and entry.linkname not in self._rewritten:
            return
        source_parent, _, source = entry.linkname.rpartition("/")
        parent, _, name = path.rpartition("/")
        above = open_in_root(self._root, source_parent, _DIRECTORY)
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=self._parent(parent))
            os.link(source, name, src_dir_fd=above, dst_dir_fd=self._parent(parent), follow_symlinks=False)
        finally:
            os.close(above)
        self.entries[path] = SyncedEntry(
            mode=target.mode,
            uid=target.uid,
            gid=target.gid,
            size=target.size,
            mtime_ns=target.mtime_ns,
            linkname=entry.linkname,
            xattrs=target.xattrs,
            digest=target.digest,
        )
        self._changed_directories.add(parent)

    def _parent(self, path: str) -> int:
        """Return a descriptor of a directory; most calls are for the same one as the last."""
        if path != self._parent_path:
            self._forget_parent()
            self._parent_fd = open_in_root(self._root, path, _DIRECTORY)
            self._parent_path = path
        return self._parent_fd

    def _forget_parent(self) -> None:
        if self._parent_fd >= 0:
            os.close(self._parent_fd)
        self._parent_fd, self._parent_path = -1, None


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
