"""Builds: the calls `Control.Solve` and `Control.Status` for one request."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from grpclib.exceptions import GRPCError, StreamTerminatedError

from pyd_core.buildkit.client.failure import build_error
from pyd_core.buildkit.client.progress import BuildSteps, ProgressChange
from pyd_core.buildkit.client.request import BuildRequest, BuildResult, CacheEntry
from pyd_core.buildkit.proto import control_grpc, control_pb2
from pyd_core.errors import StreamInterrupted
from pyd_core.tasks import TaskOwner

if TYPE_CHECKING:
    from pyd_core.buildkit.rpc.connection import DuplexChannel

OnProgress = Callable[[BuildSteps, ProgressChange], None]


class Solve:
    """A build on a builder.

    Args:
        channel: The builder's control connection.
        session_id: The session that serves the build.
        request: The build.
        on_progress: Called for each message about its steps.
    """

    def __init__(self, channel: DuplexChannel, session_id: str, request: BuildRequest, on_progress: OnProgress) -> None:
        self._control = control_grpc.ControlStub(channel)
        self._session_id = session_id
        self.request = request
        self._on_progress = on_progress
        self.reference = request.reference or secrets.token_hex(12)
        self.progress = BuildSteps()

    async def run(self, *, gateway: bool = False) -> BuildResult:
        """Build, and return once all progress has arrived.

        Args:
            gateway: Leave the front end to this process, which drives the build over `LLBBridge`.

        Raises:
            BuildFailed: A step failed.
            PydError: The builder refused the build, or the connection was lost.
        """
        try:
            async with TaskOwner() as tasks:
                status = tasks.start(self._follow(), name="build status")
                try:
                    response = await self._control.Solve(self._solve_request(gateway=gateway))
                except GRPCError:
                    if self.progress.steps:
                        await status  # its last messages say what failed
                    raise
                await status
        except GRPCError as error:
            raise build_error(error) from error
        except (StreamTerminatedError, ConnectionError) as error:
            raise StreamInterrupted("the engine closed the connection in the middle of the build") from error
        return BuildResult(reference=self.reference, metadata=dict(response.ExporterResponse))

    async def _follow(self) -> None:
        """Read the status stream to its end; an error of it says nothing that the solve's doesn't."""
        with suppress(GRPCError):
            async with self._control.Status.open() as stream:
                await stream.send_message(control_pb2.StatusRequest(Ref=self.reference), end=True)
                async for response in stream:
                    self._on_progress(self.progress, self.progress.apply(response))

    def _solve_request(self, *, gateway: bool) -> control_pb2.SolveRequest:
        request = self.request
        message = control_pb2.SolveRequest(
            Ref=self.reference,
            Session=self._session_id,
            Internal=request.is_internal,
            Entitlements=request.entitlements,
            Cache=control_pb2.CacheOptions(
                Imports=[_cache_entry(entry) for entry in request.cache_imports],
                Exports=[_cache_entry(entry) for entry in request.cache_exports],
            ),
            Exporters=[control_pb2.Exporter(Type=item.type, Attrs=item.attributes) for item in request.outputs],
        )
        if not gateway:
            message.Frontend = request.frontend
            message.FrontendAttrs.update(request.attributes)
        if len(request.outputs) == 1:  # releases before several exporters read these fields
            message.ExporterDeprecated = request.outputs[0].type
            message.ExporterAttrsDeprecated.update(request.outputs[0].attributes)
        return message


def _cache_entry(entry: CacheEntry) -> control_pb2.CacheOptionsEntry:
    return control_pb2.CacheOptionsEntry(Type=entry.type, Attrs=entry.attributes)
