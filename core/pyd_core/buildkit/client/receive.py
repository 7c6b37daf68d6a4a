"""Receiving of a directory: the other side of the protocol of `file_sync` (tonistiigi/fsutil, `receive.go`).

The sender is hostile: each path is opened from the descriptor of the destination, and no link is followed.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError

from pyd_core.buildkit.go_mode import DEVICE, DIRECTORY, NAMED_PIPE, SOCKET, SYMLINK, permissions
from pyd_core.buildkit.proto import fsutil_stat_pb2, fsutil_wire_pb2
from pyd_core.buildkit.rpc.framing import RawMessage
from pyd_core.errors import EngineError, KernelError, ProtocolError
from pyd_core.sanitise import safe

if TYPE_CHECKING:
    from grpclib.server import Stream

MAX_FILES = 2_000_000
"""Files of one directory that are received."""
MAX_PATH_BYTES = 4096

Packet = fsutil_wire_pb2.Packet


class DirectoryReceiver:
    """Writes a tree of files into a directory, next to what it holds already. Files belong to this process's user.

    Args:
        stream: The stream of a server's method, of `RawMessage`.
        root: A descriptor of the directory.
    """

    def __init__(self, stream: Stream[Any, Any], root: int) -> None:
        self._stream = stream
        self._root = root
        self._open: dict[int, _OpenFile] = {}
        self._count = 0
        self._directories: list[tuple[str, fsutil_stat_pb2.Stat]] = []
        self._hard_links: list[tuple[str, str]] = []

    async def run(self) -> None:
        """Receive until the sender ends.

        Raises:
            EngineError: The sender failed, or sent what isn't a tree of files.
            KernelError: A file can't be written.
        """
        try:
            await self._receive()
        finally:
            for file in self._open.values():
                os.close(file.descriptor)

    async def _receive(self) -> None:
        announced = False
        while not announced or self._open:
            packet = await self._next()
            if packet.type == Packet.PACKET_STAT:
                if packet.HasField("stat"):
                    await self._add(packet.stat)
                else:
                    announced = True
            elif packet.type == Packet.PACKET_DATA:
                self._write(packet.ID, packet.data)
            elif packet.type == Packet.PACKET_ERR:
                raise EngineError(
                    f"the builder failed to send a file: {safe(packet.data[:500].decode(errors='replace'))}"
                )
            else:
                raise ProtocolError("the builder stopped sending files before the last one")
        self._finish()
        await self._send(Packet(type=Packet.PACKET_FIN))
        while (await self._next()).type != Packet.PACKET_FIN:
            pass

    async def _next(self) -> Packet:
        message = await self._stream.recv_message()
        if message is None:
            raise ProtocolError("the builder stopped sending files before the last one")
        try:
            return Packet.FromString(message.data)
        except DecodeError as error:
            raise ProtocolError("the builder sent a packet that can't be read") from error

    async def _send(self, packet: Packet) -> None:
        await self._stream.send_message(RawMessage(packet.SerializeToString()))

    async def _add(self, item: fsutil_stat_pb2.Stat) -> None:
        number = self._count
        self._count += 1
        if self._count > MAX_FILES:
            raise ProtocolError(f"the builder sends more than {MAX_FILES} files")
        path = _checked(item.path)
        directory, _, name = path.rpartition("/")
        if item.mode & DIRECTORY:
            self._make_directory(directory, name)
            self._directories.append((path, _copy(item)))
            return
        parent = self._open_directory(directory)
        try:
            _remove(parent, name)
            if item.mode & SYMLINK:
                os.symlink(item.linkname, name, dir_fd=parent)
            elif item.linkname:
                self._hard_links.append((_checked(item.linkname), path))
            elif item.mode & NAMED_PIPE:
                os.mkfifo(name, permissions(item.mode), dir_fd=parent)
            elif item.mode & (DEVICE | SOCKET):
                return  # devices would need root, and mean nothing here
            else:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                descriptor = os.open(name, flags, 0o600, dir_fd=parent)
                self._open[number] = _OpenFile(descriptor, _copy(item))
        finally:
            os.close(parent)
        if number in self._open:
            await self._send(Packet(type=Packet.PACKET_REQ, ID=number))

    def _write(self, number: int, data: bytes) -> None:
        file = self._open.get(number)
        if file is None:
            raise ProtocolError("the builder sent a file that wasn't requested")
        if data:
            view = memoryview(data)
            while view:
                view = view[os.write(file.descriptor, view) :]
            return
        os.fchmod(file.descriptor, permissions(file.item.mode) & 0o777)
        os.utime(file.descriptor, ns=(file.item.modTime, file.item.modTime))
        os.close(file.descriptor)
        del self._open[number]

    def _finish(self) -> None:
        """Make hard links, then set modes and times of directories, which writing into them would change."""
        for target, path in self._hard_links:
            self._link(target, path)
        for path, item in reversed(self._directories):
            descriptor = self._open_directory(path)
            try:
                os.fchmod(descriptor, permissions(item.mode) & 0o1777)
                os.utime(descriptor, ns=(item.modTime, item.modTime))
            finally:
                os.close(descriptor)

    def _link(self, target: str, path: str) -> None:
        source_directory, _, source = target.rpartition("/")
        directory, _, name = path.rpartition("/")
        source_parent = self._open_directory(source_directory)
        try:
            parent = self._open_directory(directory)
            try:
                os.link(source, name, src_dir_fd=source_parent, dst_dir_fd=parent, follow_symlinks=False)
            finally:
                os.close(parent)
        finally:
            os.close(source_parent)

    def _open_directory(self, path: str) -> int:
        """Open a directory of the tree, in which links of its own may have been planted: none may be on the way."""
        descriptor = os.dup(self._root)
        for part in path.split("/") if path else ():
            try:
                below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=descriptor)
            except OSError as error:
                raise KernelError("open", error.errno or 0, safe(path)) from error
            finally:
                os.close(descriptor)
            descriptor = below
        return descriptor

    def _make_directory(self, directory: str, name: str) -> None:
        parent = self._open_directory(directory)
        try:
            os.mkdir(name, 0o700, dir_fd=parent)
        except FileExistsError:
            info = os.stat(name, dir_fd=parent, follow_symlinks=False)
            if not stat.S_ISDIR(info.st_mode):
                os.unlink(name, dir_fd=parent)
                os.mkdir(name, 0o700, dir_fd=parent)
        finally:
            os.close(parent)


class _OpenFile:
    __slots__ = ("descriptor", "item")

    def __init__(self, descriptor: int, item: fsutil_stat_pb2.Stat) -> None:
        self.descriptor = descriptor
        self.item = item


def _copy(item: fsutil_stat_pb2.Stat) -> fsutil_stat_pb2.Stat:
    copy = fsutil_stat_pb2.Stat()
    copy.CopyFrom(item)
    return copy


def _checked(path: str) -> str:
    """Return a path of the tree in its plain form.

    Raises:
        ProtocolError: It is absolute, leads out, or isn't a path.
    """
    parts = path.split("/")
    if len(path) > MAX_PATH_BYTES or "\0" in path or any(part in {"", ".", ".."} for part in parts):
        raise ProtocolError(f"the builder sent a file with the path {safe(path[:200])!r}")
    return path


def _remove(parent: int, name: str) -> None:
    """Remove a file that is in the way of one that is received; directories with files stay."""
    try:
        info = os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return
    if stat.S_ISDIR(info.st_mode):
        os.rmdir(name, dir_fd=parent)
    else:
        os.unlink(name, dir_fd=parent)
