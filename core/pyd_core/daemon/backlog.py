"""Output buffered for a client, so that its writer doesn't wait for a slow client."""

from __future__ import annotations

import asyncio
import tempfile
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import IO

MAX_MEMORY_BYTES = 1 << 20
"""The part held in memory; more goes to an unnamed file, where there is a directory for it."""
CHUNK_BYTES = 1 << 18
"""The largest piece for the client."""
SEGMENT_BYTES = 64 << 20
"""A file of this size is followed by another, and is closed once it is read. So a client that never catches up uses no
more of the disk than it is behind."""


@dataclass(slots=True)
class _Segment:
    file: IO[bytes]
    written: int = 0
    read: int = 0


class Backlog:
    """A queue of bytes, in memory and then in unnamed files, with a limit that its writer must respect.

    Args:
        limit: Bytes at which it is full.
        directory: Where files are made once memory isn't enough; without one everything stays in memory.
    """

    def __init__(self, limit: int, directory: Path | None = None) -> None:
        self._limit: int | None = limit
        self._directory = directory
        self._memory: deque[bytes] = deque()
        self._memory_bytes = 0
        self._segments: deque[_Segment] = deque()
        self._ended = False
        self._filled = asyncio.Event()
        self._drained = asyncio.Event()

    def __len__(self) -> int:
        """Return the number of bytes in the queue."""
        return self._memory_bytes + sum(segment.written - segment.read for segment in self._segments)

    @property
    def full(self) -> bool:
        """Return whether the limit is reached."""
        return self._limit is not None and len(self) >= self._limit

    def put(self, data: bytes) -> None:
        """Add bytes, regardless of the limit.

        Raises:
            OSError: They don't fit into memory, and a file can't be written.
        """
        if not data:
            return
        spooling = bool(self._segments) or self._memory_bytes + len(data) > MAX_MEMORY_BYTES
        if spooling and self._directory is not None:
            self._spool(data, self._directory)
        else:
            self._memory.append(data)
            self._memory_bytes += len(data)
        self._filled.set()

    def _spool(self, data: bytes, directory: Path) -> None:
        if not self._segments or self._segments[-1].written >= SEGMENT_BYTES:
            file = tempfile.TemporaryFile(dir=directory, buffering=0)  # noqa: SIM115 - until it is read
            self._segments.append(_Segment(file))
        segment = self._segments[-1]
        segment.file.seek(segment.written)
        rest = memoryview(data)
        while rest:
            rest = rest[segment.file.write(rest) :]
        segment.written += len(data)

    async def room(self) -> None:
        """Wait until it isn't full, or `release` was called."""
        while self.full:
            self._drained.clear()
            await self._drained.wait()

    async def progress(self) -> None:
        """Wait until its reader has taken something, or `release` was called."""
        self._drained.clear()
        await self._drained.wait()

    def release(self) -> None:
        """Lift the limit: the remaining output is short, and must not wait."""
        self._limit = None
        self._drained.set()

    def end(self) -> None:
        """Mark the end of the output."""
        self._ended = True
        self._filled.set()

    async def take(self) -> bytes:
        """Wait for the next piece and return it; empty at the end."""
        while not len(self):
            if self._ended:
                return b""
            self._filled.clear()
            await self._filled.wait()
        data = self._from_memory() if self._memory else self._from_file()
        self._drained.set()
        return data

    def _from_memory(self) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while self._memory and (not pieces or size + len(self._memory[0]) <= CHUNK_BYTES):
            pieces.append(self._memory.popleft())
            size += len(pieces[-1])
        self._memory_bytes -= size
        return b"".join(pieces)

    def _from_file(self) -> bytes:
        segment = self._segments[0]
        segment.file.seek(segment.read)
        data = segment.file.read(CHUNK_BYTES)
        segment.read += len(data)
        if segment.read == segment.written:
            self._segments.popleft().file.close()
        return data

    def close(self) -> None:
        """Drop the remaining output, and end."""
        while self._segments:
            self._segments.pop().file.close()
        self._memory.clear()
        self._memory_bytes = 0
        self.release()
        self.end()
