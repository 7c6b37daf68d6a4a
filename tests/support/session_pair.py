"""Both ends of a build session in one process: the client's services, and the engine's calls of them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pyd_core.buildkit.client.session import ClientSession
from pyd_core.buildkit.rpc.channel import AdoptedChannel, open_channel
from pyd_core.daemon.build.session.client_session import RemoteSession


class Pipe:
    """An end of a socket pair, as a duplex connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def read(self, limit: int = 65536) -> bytes:
        return await self.reader.read(limit)

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def aclose(self) -> None:
        self.writer.close()


@asynccontextmanager
async def opened(services: Sequence[Any], sockets: Path) -> AsyncIterator[tuple[RemoteSession, AdoptedChannel]]:
    """Open a session with services, and yield the engine's side of it."""
    ours, theirs = socket.socketpair()
    channel = await open_channel(*await asyncio.open_connection(sock=theirs))
    served: list[str] = []

    async def open_session(session_id: str, methods: Sequence[str]) -> Pipe:
        served.extend(method.lower() for method in methods)
        return Pipe(*await asyncio.open_connection(sock=ours))

    async with ClientSession(open_session, services) as session:
        try:
            yield (
                RemoteSession(session.id, shared_key="k", methods=frozenset(served), channel=channel, sockets=sockets),
                channel,
            )
        finally:
            channel.close()
