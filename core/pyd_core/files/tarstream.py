"""Reading a tar as it arrives, without keeping it: POSIX ustar with PAX and GNU extensions, as engines send them."""

from __future__ import annotations

import tarfile
from collections.abc import AsyncIterator

from pyd_core.errors import BadAnswer

_BLOCK = 512
_MOST_HEADER = 1 << 20
"""Bytes of extended headers that one entry may have."""


class TarStream:
    """One entry after the other.

    Args:
        chunks: The tar.
    """

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = bytearray()
        self._left = 0
        """Bytes of the present entry's content that weren't read, and of the padding behind it."""
        self._content = 0
        self.taken = 0
        """Bytes of the tar that were read."""

    async def next(self) -> tarfile.TarInfo | None:
        """Goes on to the next entry; None at the end.

        Raises:
            BadAnswer: This is no tar, or it ends in the middle.
        """
        await self._skip(self._left)
        self._left = self._content = 0
        extended: dict[str, str] = {}
        while True:
            block = bytes(await self._exactly(_BLOCK))
            if not block or not any(block):
                return None
            try:
                entry = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
            except tarfile.HeaderError as error:
                raise BadAnswer("the engine sent something that is no tar") from error
            if entry.type not in {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}:
                break
            if entry.size > _MOST_HEADER:
                raise BadAnswer("the engine sent a tar with too long a header")
            data = bytes(await self._exactly(-(-entry.size // _BLOCK) * _BLOCK))[: entry.size]
            if entry.type == tarfile.XHDTYPE:
                extended |= _records(data)
            elif entry.type == tarfile.GNUTYPE_LONGNAME:
                extended["path"] = data.rstrip(b"\0").decode("utf-8", "surrogateescape")
            elif entry.type == tarfile.GNUTYPE_LONGLINK:
                extended["linkpath"] = data.rstrip(b"\0").decode("utf-8", "surrogateescape")
        _extend(entry, extended)
        self._content = entry.size if entry.isreg() else 0
        self._left = -(-self._content // _BLOCK) * _BLOCK
        return entry

    async def content(self) -> AsyncIterator[bytes]:
        """Reads the present entry's content.

        Raises:
            BadAnswer: The tar ends in the middle.
        """
        while self._content:
            if not self._buffer and not await self._fill():
                raise BadAnswer("the engine's tar ends in the middle of a file")
            part = bytes(self._buffer[: self._content])
            del self._buffer[: len(part)]
            self._content -= len(part)
            self._left -= len(part)
            yield part

    async def _exactly(self, size: int) -> bytearray:
        while len(self._buffer) < size:
            if not await self._fill():
                if not self._buffer:
                    return bytearray()
                raise BadAnswer("the engine's tar ends in the middle of an entry")
        part = self._buffer[:size]
        del self._buffer[:size]
        return part

    async def _skip(self, size: int) -> None:
        while size:
            if not self._buffer and not await self._fill():
                raise BadAnswer("the engine's tar ends in the middle of a file")
            step = min(size, len(self._buffer))
            del self._buffer[:step]
            size -= step

    async def _fill(self) -> bool:
        chunk = await anext(self._chunks, None)
        if chunk is None:
            return False
        self._buffer += chunk
        self.taken += len(chunk)
        return True


def _records(data: bytes) -> dict[str, str]:
    """Reads PAX records (POSIX pax, extended header): `LENGTH KEY=VALUE` and a line feed."""
    found: dict[str, str] = {}
    while data:
        length, _, _ = data.partition(b" ")
        if not length.isdigit() or not 0 < int(length) <= len(data):
            raise BadAnswer("the engine sent a tar with a broken header")
        key, _, value = data[len(length) + 1 : int(length) - 1].partition(b"=")
        found[key.decode("utf-8", "replace")] = value.decode("utf-8", "surrogateescape")
        data = data[int(length) :]
    return found


def _extend(entry: tarfile.TarInfo, extended: dict[str, str]) -> None:
    entry.name = extended.get("path", entry.name)
    entry.linkname = extended.get("linkpath", entry.linkname)
    try:
        entry.size = int(extended.get("size", entry.size))
        entry.uid = int(extended.get("uid", entry.uid))
        entry.gid = int(extended.get("gid", entry.gid))
        entry.mtime = float(extended.get("mtime", entry.mtime))
    except ValueError as error:
        raise BadAnswer("the engine sent a tar with a broken header") from error
    if entry.size < 0:
        raise BadAnswer("the engine sent a tar with a broken header")
