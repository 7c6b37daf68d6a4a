"""Reading a tar as it arrives, without keeping it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pyd_core.errors import InvalidInput, ProtocolError
from pyd_core.tar.decoder import next_entry
from pyd_core.tar.entry import BLOCK_BYTES, TarEntry


class TarStream:
    """Reads one entry after the other; sparse files are never in what engines send.

    Args:
        chunks: The tar.
    """

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = bytearray()
        self._left = 0
        """Bytes of the present entry's content that weren't read."""
        self._padding = 0
        self.taken = 0
        """Bytes of the tar that were read."""

    async def next(self) -> TarEntry | None:
        """Goes on to the next entry; None at the end.

        Raises:
            BadAnswer: This is no tar, or it ends in the middle.
        """
        await self._skip()
        steps = next_entry()
        try:
            wanted = next(steps)
            while True:
                wanted = steps.send(await self._read(wanted))
        except StopIteration as stop:
            entry: TarEntry | None = stop.value
        except InvalidInput as error:
            raise ProtocolError(f"the engine sent no tar that can be read: {error.message}") from error
        if entry is not None:
            if entry.fragments is not None:
                raise ProtocolError("the engine sent a sparse file")
            self._left, self._padding = entry.stored_bytes, -entry.stored_bytes % BLOCK_BYTES
        return entry

    async def content(self) -> AsyncIterator[bytes]:
        """Reads the present entry's content.

        Raises:
            BadAnswer: The tar ends in the middle.
        """
        while self._left:
            if not self._buffer and not await self._fill():
                raise ProtocolError("the engine's tar ends in the middle of a file")
            part = bytes(self._buffer[: self._left])
            del self._buffer[: len(part)]
            self._left -= len(part)
            yield part

    async def _read(self, size: int) -> bytes:
        """Returns `size` bytes, fewer only at the end."""
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
        self.taken += len(chunk)
        return True
