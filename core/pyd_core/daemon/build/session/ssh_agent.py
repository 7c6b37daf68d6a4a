"""A unix socket that leads to a client's ssh agent: `SSH.ForwardAgent`."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

from pyd_core.buildkit.proto.ssh_grpc import SSHStub
from pyd_core.buildkit.proto.ssh_pb2 import BytesMessage, CheckAgentRequest
from pyd_core.buildkit.rpc.channel import AdoptedChannel, calls
from pyd_core.errors import PydError
from pyd_core.tasks import TaskOwner

MAX_CONNECTIONS = 64
READ_BYTES = 32 << 10
ID_KEY = "buildkit.ssh.id"
"""The metadata key that names the agent."""


@contextlib.asynccontextmanager
async def forwarded_agent(channel: AdoptedChannel, agent_id: str, directory: Path) -> AsyncIterator[Path]:
    """Serve a socket in a directory; each connection to it is one to the client's agent.

    Raises:
        NotFound: The client forwards no such agent.
    """
    with calls():
        await SSHStub(channel).CheckAgent(CheckAgentRequest(ID=agent_id))
    path = directory / f"agent-{secrets.token_hex(8)}"
    open_connections = 0

    async with TaskOwner(on_error=lambda _: None) as owner:

        async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal open_connections
            if open_connections >= MAX_CONNECTIONS:
                writer.close()
                return
            open_connections += 1
            try:
                await _forward(channel, agent_id, reader, writer)
            finally:
                open_connections -= 1
                writer.close()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            owner.start(forward(reader, writer))

        server = await asyncio.start_unix_server(connected, path)
        try:
            async with server:
                yield path
        finally:
            path.unlink(missing_ok=True)


async def _forward(
    channel: AdoptedChannel, agent_id: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    with contextlib.suppress(PydError, ConnectionError), calls():
        async with SSHStub(channel).ForwardAgent.open(metadata=[(ID_KEY, agent_id)]) as stream:
            await stream.send_request()

            async def inward() -> None:
                while data := await reader.read(READ_BYTES):
                    await stream.send_message(BytesMessage(data=data))
                await stream.end()

            async with TaskOwner(on_error=lambda _: None) as owner:
                owner.start(inward())
                while (message := await stream.recv_message()) is not None:
                    writer.write(message.data)
                    await writer.drain()
