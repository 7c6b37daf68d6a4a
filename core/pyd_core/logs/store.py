"""Bounded store of log lines: the newest in memory, older ones in temporary files, the rest only counted."""

from __future__ import annotations

import contextlib
import tempfile
import weakref
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

import msgspec

from pyd_core.client.gap import Gap
from pyd_core.logs.annotation import Annotation
from pyd_core.logs.line import LogLine, StreamName

LogItem = LogLine | Gap | Annotation

MAX_MEMORY_BYTES = 64 * 2**20
"""Bytes held in memory."""

MAX_DISK_BYTES = 512 * 2**20
"""Bytes held in temporary files."""

OVERHEAD_BYTES = 160
"""Memory of an item in addition to its text."""

CHUNK_ITEMS = 512
"""Items that are written to disk and read back together."""

_CHUNK_BYTES = 2**20
_SEGMENT_BYTES = 16 * 2**20
"""Size of a temporary file; disk space is freed in units of this."""

_MAX_CACHED_CHUNKS = 8
"""Chunks that were read back and stay in memory."""


class _StoredLine(msgspec.Struct, array_like=True, tag=0, gc=False):
    origin: int
    stream: StreamName
    time_ns: int
    data: bytes
    cut: int


class _StoredGap(msgspec.Struct, array_like=True, tag=1, gc=False):
    gap: Gap


class _StoredAnnotation(msgspec.Struct, array_like=True, tag=2, gc=False):
    mark: Annotation


_Stored = list[_StoredLine | _StoredGap | _StoredAnnotation]


class _Segment:
    """An unnamed temporary file, which disappears with the process."""

    def __init__(self) -> None:
        self.file: IO[bytes] = tempfile.TemporaryFile(prefix="pyd-log-")  # noqa: SIM115 - closed when its chunks go
        self.size = 0
        self.chunks = 0
        weakref.finalize(self, self.file.close)


class _Chunk:
    """Consecutive items; on disk if `items` is None."""

    __slots__ = ("cost", "count", "items", "length", "offset", "segment")

    def __init__(self, items: list[LogItem]) -> None:
        self.items: list[LogItem] | None = items
        self.count = len(items)
        self.cost = 0
        self.segment: _Segment | None = None
        self.offset = self.length = 0


class LogStore:
    """Numbered items; numbers never change, and `len(store) + store.lost` is the number ever added.

    Items before the first one get lower numbers, so `first` may be negative.

    Args:
        memory: Maximum bytes in memory.
        disk: Maximum bytes on disk; 0 keeps nothing there. A full disk counts as the bound.
    """

    def __init__(self, *, memory: int = MAX_MEMORY_BYTES, disk: int = MAX_DISK_BYTES) -> None:
        self._max_memory = memory
        self._max_disk = disk
        self._chunks: list[_Chunk] = []
        self._firsts: list[int] = []
        self._disk_chunks = 0
        self._memory_used = self._disk_used = 0
        self._segments: list[_Segment] = []
        self._cache: OrderedDict[int, list[LogItem]] = OrderedDict()
        self._origins: dict[tuple[str, str], int] = {}
        self._names: list[tuple[str, str]] = []
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(_Stored).decode
        self.first = 0
        """The number of the oldest item."""
        self.end = 0
        """The number after the newest."""
        self.lost = 0
        """The number of dropped items."""

    def __len__(self) -> int:
        return self.end - self.first

    @property
    def bytes_in_memory(self) -> int:
        """The size of the items in memory."""
        return self._memory_used

    @property
    def bytes_on_disk(self) -> int:
        """The size of the items on disk."""
        return self._disk_used

    def add(self, items: Iterable[LogItem]) -> None:
        """Append items; the oldest ones are dropped if necessary."""
        for item in items:
            self._append(item)
        while self._memory_used > self._max_memory and self._disk_chunks < len(self._chunks) - 1:
            self._spill()
        while self._disk_used > self._max_disk and self._disk_chunks:
            self._drop()

    def prepend(self, items: Sequence[LogItem]) -> bool:
        """Put items before the first one; return False, and does nothing, where they don't fit within the bounds."""
        if not items:
            return True
        chunks = []
        for start in range(0, len(items), CHUNK_ITEMS):
            chunk = _Chunk(list(items[start : start + CHUNK_ITEMS]))
            chunk.cost = sum(map(_cost, chunk.items or ()))
            chunks.append(chunk)
        cost = sum(chunk.cost for chunk in chunks)
        fits = self._memory_used + cost <= self._max_memory
        if not fits or self._disk_chunks:
            room = self._max_disk - self._disk_used
            if cost > room or not all(self._to_disk(chunk) for chunk in chunks):
                for chunk in chunks:
                    self._release(chunk)
                return False
            self._disk_chunks += len(chunks)
        else:
            self._memory_used += cost
        self.first -= len(items)
        number, firsts = self.first, []
        for chunk in chunks:
            firsts.append(number)
            number += chunk.count
        self._chunks[:0] = chunks
        self._firsts[:0] = firsts
        return True

    def __getitem__(self, number: int) -> LogItem:
        """Return the item of a number.

        Raises:
            IndexError: It was dropped, or never existed.
        """
        if not self.first <= number < self.end:
            raise IndexError(number)
        index = bisect_right(self._firsts, number) - 1
        chunk = self._chunks[index]
        first = self._firsts[index]
        if chunk.items is not None:
            return chunk.items[number - first]
        items = self._cache.get(first)
        if items is None:
            items = self._cache[first] = self._load(chunk)
            if len(self._cache) > _MAX_CACHED_CHUNKS:
                self._cache.popitem(last=False)
        return items[number - first]

    def scan(self, start: int, stop: int | None = None) -> Iterator[tuple[int, LogItem]]:
        """Iterate over the items from a number on; the store must not change meanwhile."""
        start = max(start, self.first)
        stop = self.end if stop is None else min(stop, self.end)
        index = max(0, bisect_right(self._firsts, start) - 1)
        while start < stop:
            chunk, first = self._chunks[index], self._firsts[index]
            items = chunk.items if chunk.items is not None else self._load(chunk)
            last = min(stop, first + chunk.count)
            yield from zip(range(start, last), items[start - first : last - first], strict=True)
            start = last
            index += 1

    def close(self) -> None:
        """Drop all items and free the disk."""
        for segment in self._segments:
            segment.file.close()
        self._segments = []
        self._chunks, self._firsts, self._disk_chunks = [], [], 0
        self._memory_used = self._disk_used = 0
        self._cache.clear()
        self.first = self.end

    def _append(self, item: LogItem) -> None:
        cost = _cost(item)
        newest = self._chunks[-1] if self._chunks else None
        if newest is None or newest.items is None or newest.count >= CHUNK_ITEMS or newest.cost >= _CHUNK_BYTES:
            newest = _Chunk([])
            self._chunks.append(newest)
            self._firsts.append(self.end)
        assert newest.items is not None  # noqa: S101 - the one above has some
        newest.items.append(item)
        newest.count += 1
        newest.cost += cost
        self._memory_used += cost
        self.end += 1

    def _spill(self) -> None:
        """Move the oldest chunk in memory to disk; without space there it is dropped, with all earlier ones."""
        chunk = self._chunks[self._disk_chunks]
        self._memory_used -= chunk.cost
        if self._max_disk and self._to_disk(chunk):
            self._disk_chunks += 1
            return
        while self._disk_chunks:
            self._drop()
        self._forget_oldest()

    def _drop(self) -> None:
        self._release(self._chunks[0])
        self._disk_chunks -= 1
        self._forget_oldest()

    def _forget_oldest(self) -> None:
        chunk = self._chunks.pop(0)
        self._cache.pop(self._firsts.pop(0), None)
        self.first += chunk.count
        self.lost += chunk.count

    def _to_disk(self, chunk: _Chunk) -> bool:
        data = self._encode([self._to_stored(item) for item in chunk.items or ()])
        try:
            if not self._segments or self._segments[-1].size >= _SEGMENT_BYTES:
                self._segments.append(_Segment())
            segment = self._segments[-1]
            segment.file.seek(segment.size)
            segment.file.write(data)
            segment.file.flush()
        except OSError:
            return False
        chunk.segment, chunk.offset, chunk.length = segment, segment.size, len(data)
        segment.size += len(data)
        segment.chunks += 1
        self._disk_used += len(data)
        chunk.items = None
        return True

    def _release(self, chunk: _Chunk) -> None:
        segment, chunk.segment = chunk.segment, None
        if segment is None:
            return
        self._disk_used -= chunk.length
        segment.chunks -= 1
        if not segment.chunks:
            with contextlib.suppress(OSError):
                segment.file.close()
            self._segments.remove(segment)

    def _load(self, chunk: _Chunk) -> list[LogItem]:
        assert chunk.segment is not None  # noqa: S101 - a chunk is in memory or on disk
        chunk.segment.file.seek(chunk.offset)
        return [self._from_stored(stored) for stored in self._decode(chunk.segment.file.read(chunk.length))]

    def _to_stored(self, item: LogItem) -> _StoredLine | _StoredGap | _StoredAnnotation:
        if isinstance(item, Gap):
            return _StoredGap(item)
        if isinstance(item, Annotation):
            return _StoredAnnotation(item)
        source = (item.container_id, item.name)
        origin = self._origins.get(source)
        if origin is None:
            origin = self._origins[source] = len(self._names)
            self._names.append(source)
        return _StoredLine(origin, item.stream, item.time_ns, item.data, item.cut)

    def _from_stored(self, stored: _StoredLine | _StoredGap | _StoredAnnotation) -> LogItem:
        if isinstance(stored, _StoredGap):
            return stored.gap
        if isinstance(stored, _StoredAnnotation):
            return stored.mark
        return LogLine(*self._names[stored.origin], stored.stream, stored.time_ns, stored.data, stored.cut)


def _cost(item: LogItem) -> int:
    return OVERHEAD_BYTES + len(item.data) if isinstance(item, LogLine) else 2 * OVERHEAD_BYTES
