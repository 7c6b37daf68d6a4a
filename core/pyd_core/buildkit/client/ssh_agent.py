"""`SSH`: forwards the user's ssh agents to RUN steps that mount them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grpclib.const import Status
from grpclib.exceptions import GRPCError

from pyd_core.buildkit.proto import ssh_grpc, ssh_pb2
from pyd_core.buildkit.rpc.metadata import metadata_value
from pyd_core.tasks import TaskOwner

if TYPE_CHECKING:
    from grpclib.server import Stream

DEFAULT_ID = "default"
READ_BYTES = 32 * 1024


class SshService(ssh_grpc.SSHBase):
    """Connects the builder with agents' sockets.

    Args:
        agents: Sockets by id.
    """

    METHODS = ("/moby.sshforward.v1.SSH/CheckAgent", "/moby.sshforward.v1.SSH/ForwardAgent")

    def __init__(self, agents: Mapping[str, Path]) -> None:
        self._agents = agents

    async def CheckAgent(self, stream: Stream[Any, Any]) -> None:
        """Report whether an agent was given to the build."""
        request = await stream.recv_message()
        self._socket(request.ID if request is not None else "")
        await stream.send_message(ssh_pb2.CheckAgentResponse())

    async def ForwardAgent(self, stream: Stream[Any, Any]) -> None:
        """Copy bytes between the builder and the agent."""
        agent_id = metadata_value(stream, "buildkit.ssh.id", DEFAULT_ID)
        path = self._socket(agent_id)
        try:
            reader, writer = await asyncio.open_unix_connection(path)
        except OSError as error:
            raise GRPCError(Status.UNAVAILABLE, f"the ssh agent {agent_id!r} doesn't answer") from error
        try:
            async with TaskOwner() as tasks:
                upward = tasks.start(_to_agent(stream, writer), name="to the ssh agent")
                await stream.send_initial_metadata()
                while data := await reader.read(READ_BYTES):
                    await stream.send_message(ssh_pb2.BytesMessage(data=data))
                upward.cancel()
        finally:
            writer.close()

    def _socket(self, agent_id: str) -> Path:
        path = self._agents.get(agent_id or DEFAULT_ID)
        if path is None:
            raise GRPCError(Status.NOT_FOUND, f"unset ssh forward key {agent_id or DEFAULT_ID}")
        return path


async def _to_agent(stream: Stream[Any, Any], writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while (message := await stream.recv_message()) is not None:
            writer.write(message.data)
            await writer.drain()
        writer.write_eof()
