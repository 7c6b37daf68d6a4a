"""Logs of a node's containers, read from the runtime's files in the form of the Engine API."""

from __future__ import annotations

import asyncio
import os
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from gzip import BadGzipFile
from typing import IO, Self

import msgspec

from pyd_core.client.frames import MULTIPLEXED, RAW, STDERR, STDOUT
from pyd_core.client.transport.base import Stream
from pyd_core.cri.log_files import BLOCK_BYTES, MAX_LINE_BYTES, LogDirectory, log_directory, tail_offset
from pyd_core.cri.log_lines import LineParser, RecordFilter, parse_cri, parse_json
from pyd_core.cri.node_container import NodeContainer
from pyd_core.errors import NotFound, Unsupported
from pyd_core.linux.watch import FileWatch


class _NodeLog:
    """A log as a response of the Engine API."""

    def __init__(self, chunks: AsyncIterator[bytes], *, framed: bool) -> None:
        self.status = 200
        self.headers: Mapping[str, str] = {"content-type": MULTIPLEXED if framed else RAW}
        self._chunks = chunks

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the log as it is written."""
        return self._chunks


class NodeLogOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The selection from a log, in the names and forms of `ContainersApi.logs`."""

    follow: bool = False
    stdout: bool = True
    stderr: bool = True
    since: str = ""
    until: str = ""
    timestamps: bool = True
    tail: int | None = None


@contextmanager
def open_log(container: NodeContainer, options: NodeLogOptions) -> Iterator[Stream]:
    """Stream a container's log; when following, until its main process has ended.

    Raises:
        Unsupported: Nothing writes a log for it.
        NotFound: Its log was removed.
    """
    if not container.log_path:
        raise Unsupported(
            "this container's output isn't stored", hint="only pods and nerdctl have log files", reference="no-log"
        )
    framed = not container.spec.process.terminal
    outputs = ((STDOUT, options.stdout), (STDERR, options.stderr))
    streams = frozenset(stream for stream, is_chosen in outputs if is_chosen)
    kept = RecordFilter(
        since=options.since,
        until=options.until,
        streams=streams,
        timestamps=options.timestamps,
        framed=framed,
    )
    parse: LineParser = parse_json if container.log_path.endswith("-json.log") else parse_cri
    with log_directory(container.log_path) as directory:
        reader = _Reader(directory, parse, kept)
        yield _NodeLog(reader.run(tail=options.tail, pid=container.pid if options.follow else 0), framed=framed)


class _Reader:
    """Reads the files of a log in their order.

    Args:
        directory: Has them.
        parse: Parses a line.
        kept: Chooses and renders the records.
    """

    def __init__(self, directory: LogDirectory, parse: LineParser, kept: RecordFilter) -> None:
        self._directory = directory
        self._parse = parse
        self._kept = kept
        self._rest = b""

    async def run(self, *, tail: int | None, pid: int) -> AsyncIterator[bytes]:
        """Yield the log; with a process, follow it until that has ended and everything is read."""
        files = self._open(tail)
        try:
            while files:
                file = files.pop(0)
                with closing(file):
                    if files or not pid:
                        async for data in self._read(file):
                            yield data
                    else:
                        async for data in self._follow(file, pid):
                            yield data
        finally:
            for file in files:
                file.close()

    def _open(self, tail: int | None) -> list[IO[bytes]]:
        """Open the files that hold the last lines, the oldest first, each at the first byte to read."""
        files: list[IO[bytes]] = []
        missing = tail
        try:
            for name in reversed([*self._directory.rotated(), self._directory.name]):
                if missing == 0 and files:
                    break
                try:
                    file = self._directory.open(name)
                except NotFound:
                    if name == self._directory.name:
                        raise
                    continue  # rotation removed it
                files.insert(0, file)
                if missing is not None:
                    try:
                        offset, missing = tail_offset(file, missing)
                        file.seek(offset)
                    except (OSError, EOFError, zlib.error):
                        file.close()
                        files.pop(0)
                        break  # damaged: nothing older is read
        except BaseException:
            for file in files:
                file.close()
            raise
        return files

    async def _read(self, file: IO[bytes]) -> AsyncIterator[bytes]:
        while True:
            try:
                block = await asyncio.to_thread(file.read, BLOCK_BYTES)
            except (BadGzipFile, EOFError, zlib.error):
                return
            if not block:
                return
            if data := b"".join(self._lines(block)):
                yield data

    async def _follow(self, file: IO[bytes], pid: int) -> AsyncIterator[bytes]:
        with FileWatch(self._directory.path) as watch, _ProcessEnd(pid, watch.wake) as process:
            while True:
                has_ended = process.has_ended  # before the read, so that nothing written before the end is missed
                current = self._directory.is_current(file)
                async for data in self._read(file):
                    yield data
                if not current:
                    try:
                        successor = self._directory.open(self._directory.name)
                    except NotFound:
                        if has_ended:
                            return
                    else:
                        file.close()
                        file = successor
                        continue
                elif has_ended:
                    return
                await watch.changed()

    def _lines(self, block: bytes) -> Iterator[bytes]:
        *lines, self._rest = (self._rest + block).split(b"\n")
        if len(self._rest) > MAX_LINE_BYTES:
            self._rest = self._rest[:MAX_LINE_BYTES]
        for line in lines:
            if (record := self._parse(line[:MAX_LINE_BYTES])) is not None:
                yield self._kept.render(record)


class _ProcessEnd:
    """Reports the end of a process of this machine; a context manager.

    Args:
        pid: The process.
        on_end: Called when it ends.
    """

    def __init__(self, pid: int, on_end: Callable[[], None]) -> None:
        self._on_end = on_end
        try:
            self._fd = os.pidfd_open(pid)
        except OSError:
            self._fd = -1
        self.has_ended = self._fd < 0

    def __enter__(self) -> Self:
        if self._fd >= 0:
            asyncio.get_running_loop().add_reader(self._fd, self._end)
        return self

    def __exit__(self, *_: object) -> None:
        if self._fd >= 0:
            asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)

    def _end(self) -> None:
        self.has_ended = True
        asyncio.get_running_loop().remove_reader(self._fd)
        self._on_end()
