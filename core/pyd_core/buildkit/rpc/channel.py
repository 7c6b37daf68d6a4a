"""The calling side of a gRPC connection that was taken over."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Never

from grpclib.client import Channel, Handler
from grpclib.encoding.proto import ProtoCodec
from grpclib.exceptions import GRPCError, StreamTerminatedError
from h2.exceptions import StreamClosedError

from pyd_core.buildkit.rpc.failures import from_status
from pyd_core.buildkit.rpc.protocol import AdoptedProtocol, adopt
from pyd_core.buildkit.rpc.status import StatusDetailsCodec
from pyd_core.errors import StreamInterrupted


class AdoptedChannel(Channel):
    """A channel over one connection; once that ends, calls fail with `StreamInterrupted`.

    Args:
        protocol: The connection's protocol.
        authority: What calls name as the host they call.
    """

    def __init__(self, protocol: AdoptedProtocol, *, authority: str = "localhost") -> None:
        super().__init__(path="/", codec=ProtoCodec(), status_details_codec=StatusDetailsCodec())
        self._authority = authority
        self._protocol = protocol
        self.lost = protocol.lost

    async def _create_connection(self) -> Never:
        raise StreamInterrupted("the connection has ended")


async def open_channel(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, trailing: bytes = b"", *, authority: str = "localhost"
) -> AdoptedChannel:
    """Take a connection over, as the side that calls."""
    protocol = AdoptedProtocol(Handler(), client_side=True)
    await adopt(reader, writer, protocol, trailing)
    return AdoptedChannel(protocol, authority=authority)


@contextlib.contextmanager
def calls() -> Iterator[None]:
    """Raise what fails inside as errors of this project.

    Raises:
        PydError: The peer reported an error.
        StreamInterrupted: The connection ended.
    """
    try:
        yield
    except GRPCError as error:
        raise from_status(error) from error
    except (StreamTerminatedError, StreamClosedError, ConnectionError) as error:
        raise StreamInterrupted(f"the connection of the build ended: {error}") from error


@contextlib.asynccontextmanager
async def channel_over(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, trailing: bytes = b"", *, authority: str = "localhost"
) -> AsyncIterator[AdoptedChannel]:
    """Take a connection over as the side that calls, and close it at the end."""
    channel = await open_channel(reader, writer, trailing, authority=authority)
    try:
        yield channel
    finally:
        channel.close()
