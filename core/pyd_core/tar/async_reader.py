"""Tar reader for archives that an engine streams."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pyd_core.errors import InvalidInput, ProtocolError
from pyd_core.tar.decoder import HeaderDecoder
from pyd_core.tar.entry import BLOCK_BYTES, TarEntry


class AsyncTarReader:
    """Asynchronous counterpart of `TarReader`; engines never send sparse files.

    Args:
        chunks: The archive.
    """

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = bytearray()
        self._remaining = 0
        """Bytes of the current entry's content that weren't read."""
        self._padding = 0
        self._decoder = HeaderDecoder()
        self.read_bytes = 0
        """Bytes of the archive that were read."""

    async def next(self) -> TarEntry | None:
        """Read up to the next entry and return it; None at the end.

        Raises:
            ProtocolError: It is not a tar archive, or it is cut short.
        """
        await self._skip()
        steps = self._decoder.next_entry()
        try:
            size = next(steps)
            while True:
                size = steps.send(await self._read(size))
        except StopIteration as stop:
            entry: TarEntry | None = stop.value
        except InvalidInput as error:
            raise ProtocolError(f"the engine sent no tar that can be read: {error.message}") from error
        if entry is not None:
            if entry.fragments is not None:
                raise ProtocolError("the engine sent a sparse file")
            self._remaining, self._padding = entry.stored_bytes, -entry.stored_bytes % BLOCK_BYTES
        return entry

    async def content(self) -> AsyncIterator[bytes]:
        """Yield the current entry's content.

        Raises:
            ProtocolError: The archive is cut short.
        """
        while self._remaining:
            if not self._buffer and not await self._fill():
                raise ProtocolError("the engine's tar ends in the middle of a file")
            part = bytes(self._buffer[: self._remaining])
            del self._buffer[: len(part)]
            self._remaining -= len(part)
            yield part

    async def _read(self, size: int) -> bytes:
        """Return `size` bytes, fewer only at the end."""
        while len(self._buffer) < size and await self._fill():
            pass
        part = bytes(self._buffer[:size])
        del self._buffer[:size]
        return part

    async def _skip(self) -> None:
        async for _ in self.content():
            pass
        await self._read(self._padding)
        self._padding = 0

    async def _fill(self) -> bool:
        chunk = await anext(self._chunks, None)
        if chunk is None:
            return False
        self._buffer += chunk
        self.read_bytes += len(chunk)
        return True
