"""Session of a build: a connection on which the builder calls services of this process."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from grpclib.health.service import Health

from pyd_core.buildkit.rpc.connection import DuplexServer
from pyd_core.buildkit.rpc.duplex import DuplexConnection

if TYPE_CHECKING:
    import grpclib.const
    from grpclib._typing import IServable

HEALTH_METHODS = ("/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch")


class SessionService(Protocol):
    """A service of a session."""

    @property
    def METHODS(self) -> Sequence[str]:
        """The paths of its methods."""
        ...

    def __mapping__(self) -> dict[str, grpclib.const.Handler]:
        """Return the methods by path, as grpclib finds them."""
        ...


OpenSession = Callable[[str, Sequence[str]], Awaitable[DuplexConnection]]
"""Opens a session's connection, given its id and the methods that it serves."""


class ClientSession:
    """The client's end of a session.

    Args:
        open_session: Opens the connection.
        services: What the builder may call.
    """

    def __init__(self, open_session: OpenSession, services: Sequence[SessionService]) -> None:
        self.id = secrets.token_hex(16)
        self._open = open_session
        self._services = services
        self._server: DuplexServer | None = None

    async def __aenter__(self) -> Self:
        methods = [*HEALTH_METHODS, *(method for service in self._services for method in service.METHODS)]
        duplex = await self._open(self.id, methods)
        handlers: list[IServable] = [Health(), *self._services]
        self._server = DuplexServer(duplex, handlers)
        await self._server.start()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._server is not None:
            await self._server.aclose()

    async def wait_closed(self) -> None:
        """Wait until the builder ends the session."""
        if self._server is not None:
            await self._server.wait_closed()
