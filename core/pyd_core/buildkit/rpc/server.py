"""The answering side of a gRPC connection that was taken over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Protocol, cast

from grpclib.const import Handler as MethodHandler
from grpclib.const import Status
from grpclib.encoding.proto import ProtoCodec
from grpclib.events import _DispatchServerEvents
from grpclib.exceptions import GRPCError, StreamTerminatedError
from grpclib.server import Handler, Stream

from pyd_core.buildkit.rpc.failures import to_status
from pyd_core.buildkit.rpc.protocol import AdoptedProtocol, adopt
from pyd_core.buildkit.rpc.status import StatusDetailsCodec
from pyd_core.errors import PydError

log = logging.getLogger(__name__)


class Servable(Protocol):
    """A service, as grpclib generates it."""

    def __mapping__(self) -> Mapping[str, MethodHandler]:
        """Return its methods by path."""
        ...


def server_protocol(services: Collection[Servable]) -> AdoptedProtocol:
    """Return the protocol that serves the calls of a connection."""
    methods = {path: _guarded(method) for service in services for path, method in service.__mapping__().items()}
    handler = Handler(methods, ProtoCodec(), StatusDetailsCodec(), _DispatchServerEvents())
    return AdoptedProtocol(handler, client_side=False)


async def serve(
    services: Collection[Servable],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    trailing: bytes = b"",
) -> None:
    """Take a connection over and serve calls until it ends; when cancelled, the running calls are, too."""
    protocol = server_protocol(services)
    await adopt(reader, writer, protocol, trailing)
    try:
        await asyncio.shield(protocol.lost)
    finally:
        protocol.processor.close("the server stops")
        await cast("Handler", protocol.handler).wait_closed()


def method_paths(services: Collection[Servable]) -> list[str]:
    """Return the paths of all methods, such as `/moby.filesync.v1.FileSync/DiffCopy`."""
    return [path for service in services for path in service.__mapping__()]


def _guarded(method: MethodHandler) -> MethodHandler:
    return method._replace(func=_with_status(method.func))


def _with_status(function: Callable[[Stream[Any, Any]], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    async def call(stream: Stream[Any, Any]) -> None:
        try:
            await function(stream)
        except (GRPCError, StreamTerminatedError):
            raise
        except PydError as error:
            raise to_status(error) from error
        except OSError as error:
            raise GRPCError(Status.UNKNOWN, str(error)) from error
        except Exception as error:
            log.exception("a call failed")
            raise GRPCError(Status.INTERNAL, f"internal error: {type(error).__name__}") from error

    return call
