"""`/session` and `/grpc`: connections that are taken over for BuildKit's protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyd_core.daemon.api.http import Hijack, HttpRequest, Response
from pyd_core.daemon.api.routes import route
from pyd_core.daemon.duplex import UpgradedConnection
from pyd_core.errors import InvalidInput

if TYPE_CHECKING:
    from pyd_core.daemon.engine import Engine

PROTOCOL = "h2c"
UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
ID_HEADER = "x-docker-expose-session-uuid"
SHARED_KEY_HEADER = "x-docker-expose-session-sharedkey"
METHOD_HEADER = "x-docker-expose-session-grpc-method"


def _check_upgrade(request: HttpRequest) -> None:
    protocol = request.headers.get("upgrade", "")
    if not protocol:
        raise InvalidInput("no upgrade proto in request", hint="set the header Upgrade to h2c")
    if protocol.lower() != PROTOCOL:
        raise InvalidInput(f"protocol {protocol[:40]} not supported", hint="set the header Upgrade to h2c")


@route("POST", "/session")
async def session(engine: Engine, request: HttpRequest) -> Response:
    """Open a build client's session: the engine calls its services until it closes the connection."""
    _check_upgrade(request)
    session_id = request.headers.get(ID_HEADER, "")
    sessions = engine.builds.sessions
    sessions.check(session_id)
    methods = [value for name, value in request.header_lines if name == METHOD_HEADER]

    async def serve(wire: UpgradedConnection) -> None:
        await sessions.serve(
            session_id,
            shared_key=request.headers.get(SHARED_KEY_HEADER, ""),
            methods=methods,
            connection=(wire.reader, wire.writer, wire.trailing),
        )

    return Hijack(serve=serve, head=UPGRADED)


@route("POST", "/grpc")
async def grpc(engine: Engine, request: HttpRequest) -> Response:
    """Serve BuildKit's services on the connection."""
    _check_upgrade(request)

    async def serve(wire: UpgradedConnection) -> None:
        await engine.builds.serve(wire.reader, wire.writer, wire.trailing)

    return Hijack(serve=serve, head=UPGRADED)
