"""A process in a container of a build: `LLBBridge.ExecProcess`."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

from grpclib.exceptions import GRPCError, StreamTerminatedError

from pyd_core.buildkit.client.failure import build_error, clean_message
from pyd_core.buildkit.proto import gateway_pb2
from pyd_core.errors import EngineError, StreamInterrupted

if TYPE_CHECKING:
    from grpclib.client import Stream

    from pyd_core.buildkit.proto import gateway_grpc

STDIN = 0
START_FAILED = 2**32 - 1
"""The exit code of a process that was never started (moby/buildkit, `UnknownExitStatus` as unsigned)."""
MAX_MESSAGE_BYTES = 32 * 1024


class GatewayProcess:
    """A process; `async with process.run() as running` starts it.

    Args:
        bridge: The builder's gateway.
        metadata: That of the build.
        init: What to start.
    """

    def __init__(
        self, bridge: gateway_grpc.LLBBridgeStub, metadata: Mapping[str, str], init: gateway_pb2.InitMessage
    ) -> None:
        self._bridge = bridge
        self._metadata = metadata
        self._init = init
        self._id = f"pyd{secrets.token_hex(8)}"
        self._stream: Stream[Any, Any] | None = None
        self.exit_code: int | None = None

    @asynccontextmanager
    async def run(self) -> AsyncIterator[Self]:
        """Start it, and end the stream to it with the block.

        Raises:
            PydError: It can't be started, or the connection was lost.
        """
        try:
            async with self._bridge.ExecProcess.open(metadata=self._metadata) as stream:
                self._stream = stream
                await stream.send_message(gateway_pb2.ExecMessage(ProcessID=self._id, Init=self._init))
                yield self
                await stream.end()
        except GRPCError as error:
            if self.exit_code is None:  # else it only repeats the exit code
                raise build_error(error) from error
        except StreamTerminatedError as error:
            raise StreamInterrupted("the builder ended the connection to the step") from error

    async def write(self, data: bytes) -> None:
        """Send to its standard input; nothing is the end of it."""
        if not data:
            await self._send(gateway_pb2.ExecMessage(File=gateway_pb2.FdMessage(Fd=STDIN, EOF=True)))
        for start in range(0, len(data), MAX_MESSAGE_BYTES):
            piece = gateway_pb2.FdMessage(Fd=STDIN, Data=data[start : start + MAX_MESSAGE_BYTES])
            await self._send(gateway_pb2.ExecMessage(File=piece))

    async def resize(self, columns: int, rows: int) -> None:
        """Set the size of its terminal."""
        await self._send(gateway_pb2.ExecMessage(Resize=gateway_pb2.ResizeMessage(Rows=rows, Cols=columns)))

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        """Yield what it writes, with the descriptor; `exit_code` is set at the end.

        Raises:
            EngineError: It could not be started.
        """
        stream = self._stream
        if stream is None:
            return
        unfinished = {1, 2}
        while (message := await stream.recv_message()) is not None:
            kind = message.WhichOneof("Input")
            if kind == "File":
                if message.File.Data:
                    yield message.File.Fd, message.File.Data
                if message.File.EOF:
                    unfinished.discard(message.File.Fd)
            elif kind == "Exit":
                self.exit_code = message.Exit.Code
                if message.Exit.Code == START_FAILED or (message.Exit.HasField("Error") and not message.Exit.Code):
                    raise EngineError(f"the command didn't start: {clean_message(message.Exit.Error.message)}")
            if kind == "Done" or (self.exit_code is not None and not unfinished):
                return  # builders send `Done` only after the end of the input, too

    async def _send(self, message: gateway_pb2.ExecMessage) -> None:
        if self._stream is not None and self.exit_code is None:
            message.ProcessID = self._id
            await self._stream.send_message(message)
