"""Upgraded connections, for attach and exec."""

from __future__ import annotations

import asyncio
import select


class UpgradedConnection:
    """The connection itself, after an upgrade.

    Args:
        reader: The client's data.
        writer: Data for the client.
        trailing: Data that the client has sent already.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, trailing: bytes = b"") -> None:
        self.reader = reader
        self.writer = writer
        self.trailing = trailing

    def write(self, data: bytes) -> None:
        """Buffer data for the client, without waiting for it to be sent."""
        self.writer.write(data)

    async def drain(self) -> None:
        """Wait until the client has taken enough."""
        await self.writer.drain()

    async def read(self) -> bytes:
        """Return the client's next data; empty once the client has closed its side."""
        early, self.trailing = self.trailing, b""
        return early or await self.reader.read(65536)

    async def hung_up(self) -> None:
        """Wait until the client has closed both sides; one that closed only its input still reads.

        Over TCP only a write shows the difference.
        """
        loop = asyncio.get_running_loop()
        gone: asyncio.Future[None] = loop.create_future()
        try:
            watch = select.epoll(1)
        except OSError:  # no descriptor is left for it: the next write fails instead
            await gone
            return
        with watch:
            connection = self.writer.get_extra_info("socket")
            if connection is None or connection.fileno() < 0:
                return
            watch.register(connection.fileno(), 0)  # EPOLLHUP and EPOLLERR are always reported, see epoll_ctl(2)
            loop.add_reader(watch.fileno(), lambda: None if gone.done() else gone.set_result(None))
            try:
                await gone
            finally:
                loop.remove_reader(watch.fileno())

    @property
    def closing(self) -> bool:
        """Return whether the connection is closing."""
        return self.writer.transport.is_closing()

    def abort(self) -> None:
        """Abort the connection; unsent data is lost."""
        self.writer.transport.abort()

    def finish(self) -> None:
        """Send the protocol's closing message, if it has one."""
