"""Forwarding of local ports to a pod, over WebSocket.

With version 4 of the channel protocol a port has two channels, for data and for errors, and each opens with the port's
number in two bytes (Kubernetes, `portforward`). One connection serves one client, so that its end is the client's.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import msgspec

from pyd_core.errors import Conflict, EngineError, InvalidInput, PydError
from pyd_core.kube.cluster_api import ClusterApi, object_path
from pyd_core.kube.model.pod import Pod
from pyd_core.kube.websocket import open_websocket
from pyd_core.sanitise import safe, safe_bytes
from pyd_core.tasks import TaskOwner

PROTOCOLS = ("v4.channel.k8s.io",)
DATA, ERROR = 0, 1
CHUNK_BYTES = 32 * 1024
MAX_PORT = 65535
MAX_CLIENTS = 200
_PORTS = re.compile(r"(?:(?P<local>\d{0,5}):)?(?P<remote>\d{1,5})")


class PortPair(msgspec.Struct, frozen=True):
    """A local port, 0 for any free one, and the pod's."""

    local: int
    remote: int


def parse_ports(text: str) -> PortPair:
    """Parse `REMOTE`, `LOCAL:REMOTE` or `:REMOTE`.

    Raises:
        InvalidInput: It is none of these.
    """
    match = _PORTS.fullmatch(text)
    remote = int(match["remote"]) if match is not None else 0
    local = remote if match is None or match["local"] is None else int(match["local"] or 0)
    if not 0 < remote <= MAX_PORT or local > MAX_PORT:
        raise InvalidInput(f"not a port to forward: {safe(text)!r}", hint="write 8080, 8080:80, or :80 for a free port")
    return PortPair(local, remote)


@asynccontextmanager
async def forward_ports(
    api: ClusterApi,
    pod: Pod,
    ports: Sequence[PortPair],
    *,
    address: str = "127.0.0.1",
    on_error: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[list[PortPair]]:
    """Listen on local ports for as long as the block lasts, and yield the ports that were taken.

    Args:
        api: The API server.
        pod: The pod.
        ports: What to forward.
        address: The local address to listen on.
        on_error: Called with the error of a client's connection, which ends only that connection.

    Raises:
        Conflict: A local port is in use.
    """
    api.require_writable()
    clients = asyncio.Semaphore(MAX_CLIENTS)
    servers: list[asyncio.Server] = []
    taken: list[PortPair] = []
    try:
        for pair in ports:

            async def serve(
                reader: asyncio.StreamReader, writer: asyncio.StreamWriter, remote: int = pair.remote
            ) -> None:
                try:
                    async with clients:
                        await _relay(api, pod, remote, reader, writer)
                except (PydError, OSError) as error:
                    on_error(error.message if isinstance(error, PydError) else str(error))
                finally:
                    writer.transport.abort()

            try:
                server = await asyncio.start_server(serve, address, pair.local)
            except OSError as error:
                raise Conflict(
                    f"can't listen on port {pair.local}: {error.strerror or error}",
                    hint="choose another one: LOCAL:REMOTE",
                    reference="port-in-use",
                ) from error
            servers.append(server)
            taken.append(PortPair(server.sockets[0].getsockname()[1], pair.remote))
        yield taken
    finally:
        for server in servers:
            server.close()


async def _relay(
    api: ClusterApi, pod: Pod, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    metadata = pod.metadata
    path = f"{object_path('pods', namespace=metadata.namespace, name=metadata.name)}/portforward"
    socket = await open_websocket(api, path, {"ports": port}, PROTOCOLS)
    opened: set[int] = set()
    try:
        async with TaskOwner(on_error=lambda _: None) as tasks:

            async def send() -> None:
                while data := await reader.read(CHUNK_BYTES):
                    await socket.send(bytes([DATA]) + data)
                await socket.aclose()  # the protocol has no end of one direction

            tasks.start(send())
            while (message := await socket.receive()) is not None:
                channel, data = message[0] if message else DATA, message[1:]
                if channel not in opened:
                    opened.add(channel)
                    data = data[2:]
                if channel == ERROR and data:
                    raise EngineError(safe_bytes(data)[:300])
                if channel == DATA and data:
                    writer.write(data)
                    await writer.drain()
    finally:
        with suppress(PydError):
            await socket.aclose()
