"""The reading of containers' output from conmon's log files.

Each line of the `k8s-file` format is `TIME STREAM F|P TEXT`: `F` ends a line of the program, `P` is a part of one.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncGenerator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pyd_core.daemon.containers import log_options, log_rotation
from pyd_core.daemon.containers.attach import frame
from pyd_core.daemon.containers.container import EngineContainer
from pyd_core.daemon.containers.log_compression import LogFile
from pyd_core.errors import KernelError, Unsupported
from pyd_core.linux.watch import FileWatch
from pyd_core.model.base import format_time, parse_time
from pyd_core.tasks import TaskOwner

BLOCK = 1 << 16


@dataclass(frozen=True, kw_only=True)
class LogOptions:
    """The part of a log that a client requests, and its format."""

    stdout: bool = True
    stderr: bool = True
    timestamps: bool = False
    details: bool = False
    """Whether each line begins with the attributes of `--log-opt`."""
    follow: bool = False
    tail: int | None = None
    """Lines from the end; None is all."""
    since: int = 0
    """Nanoseconds since the epoch."""
    until: int = 0
    """The same; 0 is no end."""


class _Formatter:
    """Formats lines of the log for a client."""

    def __init__(self, options: LogOptions, *, tty: bool, details: bytes = b"") -> None:
        self._options = options
        self._tty = tty
        self._details = details + b" " if options.details else b""
        self._inside = {1: False, 2: False}

    def wants(self, line: bytes) -> bool:
        stream = line[36:42] if len(line) > 42 else b""
        return (self._options.stdout and b"stdout" in stream) or (self._options.stderr and b"stderr" in stream)

    def line(self, line: bytes) -> bytes:
        """Format a line of the log, given without its newline; empty when the client doesn't want it."""
        parts = line.split(b" ", 3)
        if len(parts) != 4:
            return b""
        time, name, mark, text = parts
        stream = 1 if name == b"stdout" else 2
        if not (self._options.stdout if stream == 1 else self._options.stderr):
            return b""
        stamp = _canonical(time)
        if self._options.since or self._options.until:
            moment = parse_time(stamp.decode()) or 0
            if moment < self._options.since or (self._options.until and moment > self._options.until):
                return b""
        begins = not self._inside[stream]
        self._inside[stream] = mark == b"P"
        data = text if mark == b"P" else text + b"\n"
        if begins:
            data = (stamp + b" " if self._options.timestamps else b"") + self._details + data
        return data if self._tty else frame(stream, data)

    def late(self, line: bytes) -> bool:
        """Return whether a line, and so each later one, lies after the client's end time."""
        if not self._options.until:
            return False
        moment = parse_time(_canonical(line.split(b" ", 1)[0]).decode()) or 0
        return moment > self._options.until


def _canonical(time: bytes) -> bytes:
    if time.endswith(b"+00:00"):
        return time[:-6] + b"Z"
    moment = parse_time(time.decode(errors="replace"))
    return format_time(moment).encode() if moment is not None else time


def _tail(file: IO[bytes], count: int, formatter: _Formatter, end: int | None) -> tuple[int, int]:
    """Return the offset of the last `count` lines of a file, and how many there are; lines after `end` don't count."""
    offset, rest, count_found = file.seek(0, os.SEEK_END), b"", 0
    offset = offset if end is None else min(offset, end)
    while offset > 0:
        size = min(BLOCK, offset)
        offset -= size
        file.seek(offset)
        block = file.read(size) + rest
        lines = block.split(b"\n")
        rest = lines[0]
        end = offset + len(block)
        for line in reversed(lines if offset == 0 else lines[1:]):
            if line and formatter.wants(line) and b" P " not in line[:48]:
                count_found += 1
                if count_found > count:
                    return end + 1, count
            end -= len(line) + 1
    return 0, count_found


class _Position:
    """A position in the files of a log, which survives their renaming.

    Args:
        container: Whose log it is.
        formatter: Formats its lines.
        end: Where to stop, an inode number and an offset; None for the end of what is written.
    """

    def __init__(self, container: EngineContainer, formatter: _Formatter, end: tuple[int, int] | None) -> None:
        self._container = container
        self._formatter = formatter
        self._end = end
        self._file: LogFile | None = None
        self._next: LogFile | None = None
        self._contents: IO[bytes] | None = None
        self._offset = 0

    async def go_back(self, count: int) -> None:
        """Seek to the last `count` lines."""
        while (file := self._neighbour(-1)) is not None:
            contents = await self._go_to(file)
            end = self._end_of(file)
            self._offset, lines = (
                _tail(contents, count, self._formatter, end) if count else (end or contents.seek(0, os.SEEK_END), 0)
            )
            count -= lines
            if count == 0:
                return

    def close(self) -> None:
        """Close the files."""
        for file in (self._file, self._next):
            if file is not None:
                file.close()
        self._file = self._next = None

    @property
    def at_end(self) -> bool:
        """Whether everything up to `end` has been read."""
        end = None if self._file is None else self._end_of(self._file)
        return end is not None and self._offset >= end

    def _end_of(self, file: LogFile) -> int | None:
        return self._end[1] if self._end is not None and file.inode == self._end[0] else None

    def has_newer(self) -> bool:
        """Return the next file, if there is one: this one is no longer written to then."""
        if self._next is None:
            self._next = self._neighbour(1)
        return self._next is not None

    async def go_on(self) -> None:
        """Continue at the start of the next file."""
        file, self._next = self._next, None
        if file is not None:
            await self._go_to(file)

    def _neighbour(self, step: int) -> LogFile | None:
        by_inode = log_rotation.files(self._container.log)
        numbers = list(by_inode)
        index = 0 if step > 0 else len(numbers) - 1
        if self._file is not None:
            if self._file.inode in numbers:
                index = numbers.index(self._file.inode) + step
            elif step < 0:
                return None  # it is gone, with all older ones
        if not 0 <= index < len(numbers):
            return None
        try:
            return LogFile(self._container, by_inode[numbers[index]])
        except FileNotFoundError:  # removed meanwhile
            return None

    async def _go_to(self, file: LogFile) -> IO[bytes]:
        if self._file is not None:
            self._file.close()
        self._file, self._offset = file, 0
        self._contents = await file.contents()
        return self._contents

    def block(self) -> tuple[bytes, bool, bool]:
        """Format a block of lines.

        Returns:
            The text for the client, whether there were any lines, and whether the client's end time is reached.
        """
        if self._contents is None or self.at_end:
            return b"", False, False
        pieces: list[bytes] = []
        begun = self._offset
        self._contents.seek(begun)
        for line in self._contents:
            if not line.endswith(b"\n"):
                break  # conmon is still writing it
            self._offset += len(line)
            pieces.append(self._formatter.line(line[:-1]))
            if self._formatter.late(line[:-1]):
                return b"".join(pieces), True, True
            if self._offset - begun >= BLOCK or self.at_end:
                break
        return b"".join(pieces), self._offset > begun, False


def check(container: EngineContainer) -> None:
    """Refuse to read a log that isn't kept.

    Raises:
        Unsupported: Its driver keeps nothing.
    """
    if container.record.host.log_config.type == log_options.NONE:
        raise Unsupported("configured logging driver does not support reading", reference="no-log")


async def read(container: EngineContainer, options: LogOptions) -> AsyncGenerator[bytes, None]:
    """Yield the log for a client; with `follow` until the container ends.

    A container may write faster than its log can be read, so other tasks get a turn after each block.
    """
    details = log_options.details(container.record) if options.details else b""
    formatter = _Formatter(options, tty=container.record.config.tty, details=details)
    try:
        watching = FileWatch(container.directory)
    except KernelError as error:
        if error.errno == errno.ENOENT:
            return  # it was removed meanwhile, and its log with it
        raise
    end = None if options.follow else _end(container.log)
    ended = container.next_end()
    with watching as watch, closing(_Position(container, formatter, end)) as position:
        if options.tail is not None:
            await position.go_back(options.tail)
        async with TaskOwner() as owner:
            ending = owner.start(_until(ended))
            while True:
                last = not options.follow or ending.done() or not container.record.running
                while True:
                    newer = position.has_newer()
                    any_, late = True, False
                    while any_ and not late:
                        piece, any_, late = position.block()
                        if piece:
                            yield piece
                        if position.at_end:
                            return  # later output isn't requested, and might come faster than it is read
                        await asyncio.sleep(0)
                    if late or not newer:
                        break
                    await position.go_on()
                if last or late:
                    return
                changing = owner.start(watch.changed())
                await asyncio.wait({changing, ending}, return_when=asyncio.FIRST_COMPLETED)
                changing.cancel()


def _end(log: Path) -> tuple[int, int] | None:
    """Return a log's current end: the inode number of its newest file, and its size."""
    try:
        status = log.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size


async def _until(ended: asyncio.Future[int]) -> None:
    await ended
