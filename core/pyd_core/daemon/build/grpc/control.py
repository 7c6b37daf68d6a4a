"""`Control`: builds, their progress, the cache and the history."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import aclosing
from typing import Any

from pyd_core.buildkit.proto import control_pb2
from pyd_core.buildkit.proto.control_grpc import ControlBase
from pyd_core.buildkit.proto.worker_pb2 import WorkerRecord
from pyd_core.daemon.build.grpc.worker import version
from pyd_core.daemon.build.history import BuildHistory, describe
from pyd_core.daemon.build.history_filters import HistoryFilter
from pyd_core.daemon.build.interfaces import PruneOptions, Solver
from pyd_core.daemon.build.kept_failures import KeptFailures
from pyd_core.daemon.build.runner import BuildRunner
from pyd_core.daemon.build.solve_request import SolveRequest
from pyd_core.errors import NotFound, Unsupported

WAIT_S = 3.0
"""How long a status call waits for its build: clients open both at once."""


class Control(ControlBase):
    """The service."""

    def __init__(
        self,
        runner: BuildRunner,
        solver: Solver,
        history: BuildHistory,
        failures: KeptFailures,
        worker: Callable[[], Awaitable[WorkerRecord]],
    ) -> None:
        self._failures = failures
        self._runner = runner
        self._solver = solver
        self._history = history
        self._worker = worker

    async def Solve(self, stream: Any) -> None:
        """Run a build until it ends; it is cancelled with the call."""
        request = SolveRequest.from_message(await stream.recv_message())
        response = await self._runner.run(request)
        await stream.send_message(control_pb2.SolveResponse(ExporterResponse=response))

    async def Status(self, stream: Any) -> None:
        """Send the progress of a running or finished build, from its start to its end."""
        ref = (await stream.recv_message()).Ref
        loop = asyncio.get_running_loop()
        deadline = loop.time() + WAIT_S
        while True:
            progress = self._runner.find_progress(ref)
            if progress is not None:
                async with aclosing(progress.follow()) as messages:
                    async for message in messages:
                        await stream.send_message(message)
                return
            try:
                for message in self._history.progress(ref):
                    await stream.send_message(message)
            except NotFound:
                if loop.time() > deadline:
                    raise
                await asyncio.sleep(0.01)
            else:
                return

    async def Session(self, stream: Any) -> None:
        """Refuse: sessions have connections of their own here."""
        await stream.recv_message()
        raise Unsupported("sessions over Control are not served", hint="use /session", reference="not-served")

    async def DiskUsage(self, stream: Any) -> None:
        """List the records of the cache."""
        request = await stream.recv_message()
        records = await self._solver.disk_usage(filters=list(request.filter))
        await stream.send_message(control_pb2.DiskUsageResponse(record=records))

    async def Prune(self, stream: Any) -> None:
        """Remove records of the cache, and send each."""
        request = await stream.recv_message()
        options = PruneOptions(
            filters=tuple(request.filter),
            all=request.all,
            keep_duration_ns=request.keepDuration,
            reserved_bytes=request.reservedSpace,
            max_used_bytes=request.maxUsedSpace,
            min_free_bytes=request.minFreeSpace,
        )
        if options.all:
            await self._failures.clear()
        async for record in self._solver.prune(options):
            await stream.send_message(record)

    async def ListWorkers(self, stream: Any) -> None:
        """Describe the one worker."""
        await stream.recv_message()
        await stream.send_message(control_pb2.ListWorkersResponse(record=[await self._worker()]))

    async def Info(self, stream: Any) -> None:
        """Return the builder's version."""
        await stream.recv_message()
        await stream.send_message(control_pb2.InfoResponse(buildkitVersion=version()))

    async def ListenBuildHistory(self, stream: Any) -> None:
        """Send running and finished builds, then, unless the client wants to exit early, what happens to them."""
        request = await stream.recv_message()
        chosen = HistoryFilter.parse(request.Filter)
        with self._history.subscribed() as events:  # before the present ones are sent: none is missed
            for event in self._present(request, chosen):
                await stream.send_message(event)
            while not request.EarlyExit:
                event = await events.get()
                if request.Ref in {"", event.record.Ref} and chosen.holds(event.record):
                    await stream.send_message(event)

    def _present(
        self, request: control_pb2.BuildHistoryRequest, chosen: HistoryFilter
    ) -> Iterable[control_pb2.BuildHistoryEvent]:
        records = [(control_pb2.STARTED, describe(build)) for build in self._history.running()]
        if not request.ActiveOnly:
            records += [(control_pb2.COMPLETE, record) for record in self._history.records()]
        selected = [
            control_pb2.BuildHistoryEvent(type=kind, record=record)
            for kind, record in records
            if request.Ref in {"", record.Ref} and chosen.holds(record)
        ]
        return selected[: request.Limit] if request.Limit > 0 else selected

    async def UpdateBuildHistory(self, stream: Any) -> None:
        """Remove a build from the history, or pin it."""
        request = await stream.recv_message()
        if request.Delete:
            self._history.delete(request.Ref)
        elif not request.Finalize:
            self._history.pin(request.Ref, is_pinned=request.Pinned)
        await stream.send_message(control_pb2.UpdateBuildHistoryResponse())
