"""The connection to an agent in a debug container: the streams of a command, as a socket."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from pyd_core.debug.helper import wire
from pyd_core.debug.pod.keeper import STATE
from pyd_core.errors import PydError
from pyd_core.kube.channels import ProcessStreams, open_exec
from pyd_core.kube.cluster_api import ClusterApi
from pyd_core.kube.container_view import PodMember
from pyd_core.tasks import TaskOwner

AGENT_PROGRAM = "/bin/pyd-agent"
"""The toolbox's Python in images that `pyd toolbox push` makes, whatever the architecture."""
LIFETIME_S = 12 * 3600
"""Seconds after which an agent ends on its own."""
_CHUNK_BYTES = 65536
_REGISTER = 'mkdir -p "$1" 2>/dev/null; : > "$1/$$"; shift; exec "$@"'
"""Makes the agent a session, so that the container's keeper waits for it."""


def agent_command() -> list[str]:
    """Return the command that runs the program sent to its standard input (`wire.BOOT`)."""
    return ["sh", "-c", _REGISTER, "pyd-session", STATE, AGENT_PROGRAM, wire.BOOT, str(LIFETIME_S)]


class AgentStream:
    """An agent in a debug container; its methods run on one event loop.

    Attributes:
        socket: The client's end: what is written reaches the agent, and its output comes framed as from an engine.
    """

    def __init__(self) -> None:
        self.socket, self._theirs = socket.socketpair()
        self._theirs.setblocking(False)
        self._tasks = TaskOwner(lambda _: None)
        self._streams: ProcessStreams | None = None

    async def open(self, api: ClusterApi, member: PodMember) -> None:
        """Start the agent.

        Raises:
            PydError: The server refused.
        """
        self._streams = await open_exec(api, member, agent_command(), stdin=True)
        self._tasks.start(self._receive(self._streams))
        self._tasks.start(self._send(self._streams))

    async def aclose(self) -> None:
        """End the agent's input and close the connection; what inherited the client's end sees its end."""
        if self._streams is not None:
            with contextlib.suppress(PydError, OSError):
                await self._streams.close_write()
                await self._streams.aclose()
        await self._tasks.aclose()
        self._theirs.close()

    async def _receive(self, streams: ProcessStreams) -> None:
        loop = asyncio.get_running_loop()
        try:
            while data := await streams.read():
                await loop.sock_sendall(self._theirs, data)
        finally:
            with contextlib.suppress(OSError):
                self._theirs.shutdown(socket.SHUT_RDWR)

    async def _send(self, streams: ProcessStreams) -> None:
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(self._theirs, _CHUNK_BYTES):
            await streams.write(data)
        await streams.close_write()
