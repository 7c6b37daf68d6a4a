"""Reading what a container printed, from the files of conmon's log.

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
    """What the client wants of the log."""

    stdout: bool = True
    stderr: bool = True
    timestamps: bool = False
    details: bool = False
    """Whether each line begins with what `--log-opt` adds to it."""
    follow: bool = False
    tail: int | None = None
    """Lines from the end; None is all."""
    since: int = 0
    """Nanoseconds since the epoch."""
    until: int = 0
    """The same; 0 is no end."""


class _Formatter:
    """Turns lines of the log into what the client gets."""

    def __init__(self, options: LogOptions, *, tty: bool, details: bytes = b"") -> None:
        self._options = options
        self._tty = tty
        self._details = details + b" " if options.details else b""
        self._inside = {1: False, 2: False}

    def wanted(self, line: bytes) -> bool:
        stream = line[36:42] if len(line) > 42 else b""
        return (self._options.stdout and b"stdout" in stream) or (self._options.stderr and b"stderr" in stream)

    def line(self, line: bytes) -> bytes:
        """Formats one line of the log, without its newline; empty when the client doesn't want it."""
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
        """Whether a line lies after the end the client set, and so all that follow."""
        if not self._options.until:
            return False
        moment = parse_time(_canonical(line.split(b" ", 1)[0]).decode()) or 0
        return moment > self._options.until


def _canonical(time: bytes) -> bytes:
    if time.endswith(b"+00:00"):
        return time[:-6] + b"Z"
    moment = parse_time(time.decode(errors="replace"))
    return format_time(moment).encode() if moment is not None else time


def _tail(file: IO[bytes], count: int, formatter: _Formatter) -> tuple[int, int]:
    """Returns the offset at which the last `count` lines of a file begin, and how many there are."""
    at, rest, found = file.seek(0, os.SEEK_END), b"", 0
    while at > 0:
        size = min(BLOCK, at)
        at -= size
        file.seek(at)
        block = file.read(size) + rest
        lines = block.split(b"\n")
        rest = lines[0]
        end = at + len(block)
        for line in reversed(lines if at == 0 else lines[1:]):
            if line and formatter.wanted(line) and b" P " not in line[:48]:
                found += 1
                if found > count:
                    return end + 1, count
            end -= len(line) + 1
    return 0, found


class _Place:
    """How far the files of a log have been read; where one has been renamed meanwhile it is the same file still."""

    def __init__(self, container: EngineContainer, formatter: _Formatter) -> None:
        self._container = container
        self._formatter = formatter
        self._file: LogFile | None = None
        self._next: LogFile | None = None
        self._contents: IO[bytes] | None = None
        self._at = 0

    async def go_back(self, count: int) -> None:
        """Goes to where the last so many lines begin."""
        while (file := self._beside(-1)) is not None:
            contents = await self._go_to(file)
            self._at, found = _tail(contents, count, self._formatter) if count else (contents.seek(0, os.SEEK_END), 0)
            count -= found
            if count == 0:
                return

    def close(self) -> None:
        """Lets go of the files."""
        for file in (self._file, self._next):
            if file is not None:
                file.close()
        self._file = self._next = None

    def is_past(self, end: tuple[int, int]) -> bool:
        """Whether a place in one of the files, its inode number and an offset, has been read."""
        return self._file is not None and self._file.inode == end[0] and self._at >= end[1]

    def has_newer(self) -> bool:
        """Finds the file to go on with behind this one. What is written to this one has ended when there is one."""
        if self._next is None:
            self._next = self._beside(1)
        return self._next is not None

    async def go_on(self) -> None:
        """Goes on at the beginning of the file that was found."""
        file, self._next = self._next, None
        if file is not None:
            await self._go_to(file)

    def _beside(self, step: int) -> LogFile | None:
        found = log_rotation.files(self._container.log)
        numbers = list(found)
        at = 0 if step > 0 else len(numbers) - 1
        if self._file is not None:
            if self._file.inode in numbers:
                at = numbers.index(self._file.inode) + step
            elif step < 0:
                return None  # it is gone, with all that were older
        if not 0 <= at < len(numbers):
            return None
        try:
            return LogFile(self._container, found[numbers[at]])
        except FileNotFoundError:  # removed meanwhile
            return None

    async def _go_to(self, file: LogFile) -> IO[bytes]:
        if self._file is not None:
            self._file.close()
        self._file, self._at = file, 0
        self._contents = await file.contents()
        return self._contents

    def block(self) -> tuple[bytes, bool, bool]:
        """Formats a block's worth of lines.

        Returns:
            What the client gets, whether there were any lines, and whether the end that the client set is reached.
        """
        if self._contents is None:
            return b"", False, False
        pieces: list[bytes] = []
        begun = self._at
        self._contents.seek(begun)
        for line in self._contents:
            if not line.endswith(b"\n"):
                break  # conmon is still writing it
            self._at += len(line)
            pieces.append(self._formatter.line(line[:-1]))
            if self._formatter.late(line[:-1]):
                return b"".join(pieces), True, True
            if self._at - begun >= BLOCK:
                break
        return b"".join(pieces), self._at > begun, False


def check(container: EngineContainer) -> None:
    """Refuses to read what isn't kept.

    Raises:
        Unsupported: Its driver keeps nothing.
    """
    if container.record.host.log_config.type == log_options.NONE:
        raise Unsupported("configured logging driver does not support reading", reference="no-log")


async def read(container: EngineContainer, options: LogOptions) -> AsyncGenerator[bytes, None]:
    """Yields the log as the client wants it; with `follow` until the container ends.

    A container may write faster than its log can be read: so one block at a time, and others get their turn in between.
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
    over = container.next_end()
    with watching as watch, closing(_Place(container, formatter)) as place:
        if options.tail is not None:
            await place.go_back(options.tail)
        async with TaskOwner() as owner:
            ending = owner.start(_until(over))
            while True:
                last = not options.follow or ending.done() or not container.record.running
                while True:
                    newer = place.has_newer()
                    any_, late = True, False
                    while any_ and not late:
                        piece, any_, late = place.block()
                        if piece:
                            yield piece
                        if end is not None and place.is_past(end):
                            return  # what is printed meanwhile isn't asked for, and might come faster than it is read
                        await asyncio.sleep(0)
                    if late or not newer:
                        break
                    await place.go_on()
                if last or late:
                    return
                changing = owner.start(watch.changed())
                await asyncio.wait({changing, ending}, return_when=asyncio.FIRST_COMPLETED)
                changing.cancel()


def _end(log: Path) -> tuple[int, int] | None:
    """Where a log ends just now: the inode number of its newest file, and its size."""
    try:
        status = log.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size


async def _until(over: asyncio.Future[int]) -> None:
    await over
