"""A builder's history: its builds, those that run among them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

import msgspec
from grpclib.exceptions import GRPCError

from pyd_core.buildkit.client.failure import call_error, clean_message
from pyd_core.buildkit.client.progress import BuildSteps, ProgressChange
from pyd_core.buildkit.proto import control_grpc, control_pb2
from pyd_core.errors import Ambiguous, NotFound
from pyd_core.sanitise import safe

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from pyd_core.buildkit.rpc.connection import DuplexChannel

MAX_RECORDS = 10_000
MIN_PREFIX_CHARS = 4
"""Characters of a reference that are enough to name a build."""


class BuildRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A build. Times are in seconds since the epoch.

    Attributes:
        reference: Its id.
        attributes: Options of its front end.
        status: `running`, `completed`, `error` or `canceled`.
        exporters: Types of its outputs.
        metadata: What its exporters returned.
    """

    reference: str
    attributes: Mapping[str, str] = {}
    status: str = "running"
    error: str = ""
    created: float | None = None
    completed: float | None = None
    exporters: tuple[str, ...] = ()
    metadata: Mapping[str, str] = {}
    cached_steps: int = 0
    completed_steps: int = 0
    total_steps: int = 0
    warnings: int = 0
    pinned: bool = False

    @property
    def name(self) -> str:
        """A name to show: the image's, else the target, else the Dockerfile."""
        return (
            self.metadata.get("image.name", "").split(",")[0]
            or self.attributes.get("target", "")
            or self.attributes.get("context", "")
            or self.attributes.get("filename", "")
            or "build"
        )


async def list_builds(channel: DuplexChannel, *, active: bool = False) -> list[BuildRecord]:
    """Return builds, the newest first.

    Args:
        channel: The builder's control connection.
        active: Only those that run.

    Raises:
        PydError: The builder refuses.
    """
    records: dict[str, BuildRecord] = {}
    async for event in _events(channel, control_pb2.BuildHistoryRequest(ActiveOnly=active, EarlyExit=True)):
        record = _record(event)
        if event.type == control_pb2.DELETED:
            records.pop(record.reference, None)
        elif record.reference in records or len(records) < MAX_RECORDS:
            records[record.reference] = record
    return sorted(records.values(), key=lambda record: -(record.created or 0))


async def watch_builds(channel: DuplexChannel) -> AsyncIterator[tuple[BuildRecord, bool]]:
    """Yield builds as they start, progress and end, with whether they were removed; never ends on its own.

    Raises:
        PydError: The builder refuses, or the connection was lost.
    """
    async for event in _events(channel, control_pb2.BuildHistoryRequest()):
        yield _record(event), event.type == control_pb2.DELETED


async def find_build(channel: DuplexChannel, name: str) -> BuildRecord:
    """Return a build by its reference or the beginning of it; an empty name means the newest.

    Raises:
        NotFound: There is none.
        Ambiguous: Several begin like that.
    """
    records = await list_builds(channel)
    name = name.rpartition("/")[2]
    if not name and records:
        return records[0]
    matches = [record for record in records if record.reference == name] or [
        record for record in records if len(name) >= MIN_PREFIX_CHARS and record.reference.startswith(name)
    ]
    if len(matches) > 1:
        raise Ambiguous(
            f"several builds begin with {safe(name)}", candidates=[record.reference for record in matches[:5]]
        )
    if not matches:
        raise NotFound(
            f"no such build: {safe(name)}" if name else "no builds yet",
            hint="pyd builder history ls lists them",
            reference="no-such-build",
        )
    return matches[0]


async def replay(channel: DuplexChannel, reference: str) -> AsyncIterator[tuple[BuildSteps, ProgressChange]]:
    """Yield the progress of a build, from its start; of one that runs, until it ends.

    Raises:
        PydError: The builder doesn't know it.
    """
    progress = BuildSteps()
    try:
        async with control_grpc.ControlStub(channel).Status.open() as stream:
            await stream.send_message(control_pb2.StatusRequest(Ref=reference), end=True)
            async for response in stream:
                yield progress, progress.apply(response)
    except GRPCError as error:
        raise call_error(error) from error


async def remove_build(channel: DuplexChannel, reference: str) -> None:
    """Remove a build from the history.

    Raises:
        PydError: The builder refuses.
    """
    request = control_pb2.UpdateBuildHistoryRequest(Ref=reference, Delete=True)
    try:
        await control_grpc.ControlStub(channel).UpdateBuildHistory(request)
    except GRPCError as error:
        raise call_error(error) from error


async def _events(
    channel: DuplexChannel, request: control_pb2.BuildHistoryRequest
) -> AsyncIterator[control_pb2.BuildHistoryEvent]:
    try:
        async with control_grpc.ControlStub(channel).ListenBuildHistory.open() as stream:
            await stream.send_message(request, end=True)
            async for event in stream:
                yield event
    except GRPCError as error:
        raise call_error(error) from error


def _record(event: control_pb2.BuildHistoryEvent) -> BuildRecord:
    record = event.record
    error = clean_message(record.error.message) if record.HasField("error") else ""
    status = "running"
    if error:
        status = "canceled" if "context canceled" in error else "error"
    elif record.HasField("CompletedAt"):
        status = "completed"
    return BuildRecord(
        reference=record.Ref,
        attributes=dict(record.FrontendAttrs),
        status=status,
        error=error,
        created=_seconds(record.CreatedAt) if record.HasField("CreatedAt") else None,
        completed=_seconds(record.CompletedAt) if record.HasField("CompletedAt") else None,
        exporters=tuple(exporter.Type for exporter in record.Exporters),
        metadata=dict(record.ExporterResponse),
        cached_steps=record.numCachedSteps,
        completed_steps=record.numCompletedSteps,
        total_steps=record.numTotalSteps,
        warnings=record.numWarnings,
        pinned=record.pinned,
    )


def _seconds(timestamp: Timestamp) -> float:
    return timestamp.seconds + timestamp.nanos / 1e9
