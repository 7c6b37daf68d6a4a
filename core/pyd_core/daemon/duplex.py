"""A connection handed over whole, for attach and exec."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True)
class Wire:
    """The connection itself, after an upgrade: what the client sent already, then both ends of the stream."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    trailing: bytes = b""

    async def read(self) -> bytes:
        """Returns what the client sends next; empty when it closed its side."""
        return await self.reader.read(65536)
