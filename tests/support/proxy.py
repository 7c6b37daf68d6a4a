"""A unix socket in front of an engine's, whose connections a test can cut, stall and refuse."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from types import TracebackType
from typing import Self


class Proxy:
    """Passes bytes both ways between clients at `path` and the engine at `upstream`.

    Args:
        upstream: The engine's socket.
        path: Where to listen.
    """

    def __init__(self, upstream: Path, path: Path) -> None:
        self._upstream = upstream
        self.path = path
        self.url = f"unix://{path}"
        self.accepted = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._up = True
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._serve, self.path)
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._up = False
        self.drop()
        self._flowing.set()
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()
        for _ in range(3):
            await asyncio.sleep(0)

    def drop(self) -> None:
        """Cut all connections."""
        for writer in [*self._open]:
            writer.transport.abort()

    def refuse(self) -> None:
        """Cut all connections, and new ones as soon as they are made."""
        self._up = False
        self.drop()

    def accept(self) -> None:
        """Let connections through again."""
        self._up = True

    def stall(self) -> None:
        """Stop passing bytes, with the connections open."""
        self._flowing.clear()

    def resume(self) -> None:
        """Pass bytes again."""
        self._flowing.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if not self._up:
            writer.transport.abort()
            return
        up_reader, up_writer = await asyncio.open_unix_connection(self._upstream)
        self._open |= {writer, up_writer}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass(reader, up_writer))
                group.create_task(self._pass(up_reader, writer))
        finally:
            self._open -= {writer, up_writer}
            for stream in (writer, up_writer):
                stream.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
