"""gRPC clients and servers on connections that exist already."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from grpclib.client import Channel, Handler

from pyd_core.buildkit.rpc.duplex import DuplexConnection, DuplexTransport
from pyd_core.buildkit.rpc.protocol import AdoptedProtocol, adopt
from pyd_core.buildkit.rpc.server import server_protocol
from pyd_core.buildkit.rpc.status import StatusDetailsCodec
from pyd_core.errors import StreamInterrupted

if TYPE_CHECKING:
    from grpclib._typing import IServable
    from grpclib.protocol import H2Protocol


@runtime_checkable
class StreamDuplex(Protocol):
    """A connection that can hand over the asyncio streams below it, which spares a copy of all data."""

    def take_over(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
        """Return the streams and what has arrived."""
        ...


async def adopt_streams(duplex: StreamDuplex, protocol: AdoptedProtocol) -> asyncio.StreamWriter:
    """Hand a connection's streams over to a protocol, and return the writer to close them with."""
    reader, writer, arrived = duplex.take_over()
    await adopt(reader, writer, protocol, arrived)
    return writer


async def close_streams(writer: asyncio.StreamWriter) -> None:
    """Close a connection and wait for its end."""
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


class DuplexChannel(Channel):
    """A channel for generated stubs over one connection, which it never replaces.

    Args:
        duplex: The connection.
    """

    def __init__(self, duplex: DuplexConnection) -> None:
        super().__init__(host="buildkit", port=80, status_details_codec=StatusDetailsCodec())
        self._duplex: DuplexConnection | None = duplex
        self._transport: DuplexTransport | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def _create_connection(self) -> H2Protocol:
        if self._duplex is None:
            raise StreamInterrupted("the connection to the builder was closed")
        duplex, self._duplex = self._duplex, None
        protocol = AdoptedProtocol(Handler(), client_side=True)
        if isinstance(duplex, StreamDuplex):
            self._writer = await adopt_streams(duplex, protocol)
        else:
            self._transport = DuplexTransport(duplex, protocol)
        return protocol

    async def aclose(self) -> None:
        """Close the channel and wait for its connection to end."""
        self.close()
        if self._writer is not None:
            await close_streams(self._writer)
        elif self._transport is not None:
            self._transport.close()
            await self._transport.wait_closed()
        elif self._duplex is not None:
            await self._duplex.aclose()


class DuplexServer:
    """A gRPC server for the one client at the other end of a connection.

    Args:
        duplex: The connection.
        handlers: Implementations of the generated service bases.
    """

    def __init__(self, duplex: DuplexConnection, handlers: Collection[IServable]) -> None:
        self._protocol = server_protocol(handlers)
        self._duplex = duplex
        self._transport: DuplexTransport | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def start(self) -> None:
        """Start to serve."""
        if isinstance(self._duplex, StreamDuplex):
            self._writer = await adopt_streams(self._duplex, self._protocol)
        else:
            self._transport = DuplexTransport(self._duplex, self._protocol)

    async def wait_closed(self) -> None:
        """Wait until the other side has ended the connection."""
        await asyncio.shield(self._protocol.lost)

    async def aclose(self) -> None:
        """Cancel calls in progress and close the connection."""
        self._protocol.handler.close()
        if self._writer is not None:
            await close_streams(self._writer)
        elif self._transport is not None:
            self._transport.close()
            await self._transport.wait_closed()
        await self._protocol.handler.wait_closed()  # type: ignore[attr-defined] # the server's handler, which the base lacks
