"""A build that this process drives over `LLBBridge`, as buildx does, so that a failed step can be entered."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError

from pyd_core.buildkit.client.failure import build_error
from pyd_core.buildkit.client.process import GatewayProcess
from pyd_core.buildkit.client.request import BuildRequest
from pyd_core.buildkit.proto import gateway_grpc, gateway_pb2, ops_pb2, status_pb2

if TYPE_CHECKING:
    from pyd_core.buildkit.rpc.connection import DuplexChannel

BUILD_ID = "buildkit-controlapi-buildid"
"""The metadata that says which build a call belongs to."""
MAX_PINGS = 100
PING_INTERVAL_S = 0.05
"""The build may not be registered yet when its first call arrives."""


class Gateway:
    """Calls of one build.

    Args:
        channel: The builder's control connection.
        reference: The build's id.
    """

    def __init__(self, channel: DuplexChannel, reference: str) -> None:
        self._bridge = gateway_grpc.LLBBridgeStub(channel)
        self._metadata = {BUILD_ID: reference}

    async def wait(self) -> None:
        """Wait until the builder takes calls of the build.

        Raises:
            PydError: It doesn't.
        """
        for attempt in range(MAX_PINGS):
            try:
                await self._bridge.Ping(gateway_pb2.PingRequest(), metadata=self._metadata)
            except GRPCError as error:
                if attempt == MAX_PINGS - 1 or error.status is Status.UNIMPLEMENTED:
                    raise build_error(error) from error
                await asyncio.sleep(PING_INTERVAL_S)
            else:
                return

    async def build(self, request: BuildRequest, *, evaluate: bool) -> gateway_pb2.Result:
        """Run the front end.

        Args:
            request: The build.
            evaluate: Run all steps; otherwise they run once the result is used.

        Raises:
            BuildFailed: A step failed.
        """
        message = gateway_pb2.SolveRequest(
            Frontend=request.frontend,
            FrontendOpt=request.attributes,
            allowResultReturn=True,
            allowResultArrayRef=True,
            Evaluate=evaluate,
            CacheImports=[
                gateway_pb2.CacheOptionsEntry(Type=entry.type, Attrs=entry.attributes)
                for entry in request.cache_imports
            ],
        )
        return await self._solve(message)

    async def solve(self, definition: ops_pb2.Definition, *, evaluate: bool = True) -> str:
        """Run a definition and return its result's id; empty for an empty file system.

        Raises:
            BuildFailed: A step failed.
        """
        message = gateway_pb2.SolveRequest(
            Definition=definition, allowResultReturn=True, allowResultArrayRef=True, Evaluate=evaluate
        )
        result = await self._solve(message)
        return result.ref.id

    async def _solve(self, message: gateway_pb2.SolveRequest) -> gateway_pb2.Result:
        try:
            response = await self._bridge.Solve(message, metadata=self._metadata)
        except GRPCError as error:
            raise build_error(error) from error
        return response.result

    async def finish(self, result: gateway_pb2.Result | None, error: str = "") -> None:
        """End the build with a result, or without one.

        Args:
            result: The front end's; exporters take it.
            error: Why there is none.
        """
        message = gateway_pb2.ReturnRequest(result=result)
        if result is None:
            message.error.CopyFrom(status_pb2.Status(code=Status.UNKNOWN.value, message=error))
        try:
            await self._bridge.Return(message, metadata=self._metadata)
        except GRPCError as failure:
            raise build_error(failure) from failure

    @asynccontextmanager
    async def container(self, mounts: Sequence[ops_pb2.Mount], op: ops_pb2.Op) -> AsyncIterator[str]:
        """Create a container, and release it at the end of the block.

        Args:
            mounts: Its mounts; that of `/` is its root.
            op: The step whose network, platform and hosts it gets.

        Raises:
            PydError: The builder refuses it.
        """
        container_id = f"pyd{secrets.token_hex(8)}"
        message = gateway_pb2.NewContainerRequest(
            ContainerID=container_id,
            Mounts=mounts,
            Network=op.exec.network,
            extraHosts=op.exec.meta.extraHosts,
            hostname=op.exec.meta.hostname,
        )
        if op.HasField("platform"):
            message.platform.CopyFrom(op.platform)
        try:
            await self._bridge.NewContainer(message, metadata=self._metadata)
        except GRPCError as error:
            raise build_error(error) from error
        try:
            yield container_id
        finally:
            release = gateway_pb2.ReleaseContainerRequest(ContainerID=container_id)
            with suppress(
                GRPCError, StreamTerminatedError
            ):  # it reports the exit code of the first process as an error
                await self._bridge.ReleaseContainer(release, metadata=self._metadata)

    def process(self, container_id: str, meta: ops_pb2.Meta, *, tty: bool, **options: Any) -> GatewayProcess:
        """Return a process to start in a container.

        Args:
            container_id: The container.
            meta: Its arguments, environment, user and directory.
            tty: Give it a terminal.
            options: Further fields of `InitMessage`.
        """
        init = gateway_pb2.InitMessage(ContainerID=container_id, Meta=meta, Fds=[0, 1, 2], Tty=tty, **options)
        return GatewayProcess(self._bridge, self._metadata, init)
