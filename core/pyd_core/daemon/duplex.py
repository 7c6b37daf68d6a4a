"""A connection handed over whole, for attach and exec."""

from __future__ import annotations

import asyncio


class Wire:
    """The connection itself, after an upgrade.

    Args:
        reader: What the client sends.
        writer: What it gets.
        trailing: What it sent already.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, trailing: bytes = b"") -> None:
        self.reader = reader
        self.writer = writer
        self.trailing = trailing

    def write(self, data: bytes) -> None:
        """Sends a piece, at the latest when it is drained."""
        self.writer.write(data)

    async def drain(self) -> None:
        """Waits until the client has taken enough."""
        await self.writer.drain()

    async def read(self) -> bytes:
        """Returns what the client sends next; empty when it closed its side."""
        early, self.trailing = self.trailing, b""
        return early or await self.reader.read(65536)

    @property
    def closing(self) -> bool:
        """Whether the connection ends."""
        return self.writer.transport.is_closing()

    def finish(self) -> None:
        """Says that there is no more, where that takes more than closing."""
