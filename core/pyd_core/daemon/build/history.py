"""The history of builds: a record and the progress of each, kept on disk."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec
from google.protobuf.message import DecodeError

from pyd_core.buildkit.proto.control_pb2 import (
    COMPLETE,
    DELETED,
    STARTED,
    BuildHistoryEvent,
    BuildHistoryRecord,
    StatusResponse,
)
from pyd_core.daemon.build.build import Build
from pyd_core.daemon.build.progress import timestamp
from pyd_core.daemon.store import Store, StoreTable
from pyd_core.errors import NotFound

MAX_RECORDS = 100
"""Builds that are kept; pinned ones don't count."""
MAX_SUBSCRIBER_EVENTS = 10_000
_LENGTH = struct.Struct(">I")


class HistoryRow(msgspec.Struct, frozen=True):
    """A finished build.

    Attributes:
        record: `BuildHistoryRecord`, encoded.
    """

    ref: str
    created_ns: int
    record: bytes
    is_pinned: bool = False


class BuildHistory:
    """Finished and running builds.

    Args:
        store: The engine's records.
        directory: For the progress of finished builds, a file for each.
    """

    def __init__(self, store: Store, directory: Path) -> None:
        self._rows = StoreTable(store, "build", HistoryRow)
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._running: dict[str, Build] = {}
        self._subscribers: set[asyncio.Queue[BuildHistoryEvent]] = set()
        known = {self._path(row.ref).name for row in self._rows}
        for path in directory.iterdir():
            if path.name not in known:
                path.unlink(missing_ok=True)

    def _path(self, ref: str) -> Path:
        return self._directory / hashlib.sha256(ref.encode()).hexdigest()

    def start(self, build: Build) -> None:
        """Add a running build."""
        self._running[build.request.ref] = build
        self._emit(BuildHistoryEvent(type=STARTED, record=describe(build)))

    def finish(self, build: Build, record: BuildHistoryRecord) -> None:
        """Keep a finished build, and remove the oldest ones beyond `MAX_RECORDS`; a full disk keeps nothing."""
        ref = build.request.ref
        self._running.pop(ref, None)
        with contextlib.suppress(OSError):
            _write(self._path(ref), build.progress.responses()[0])
            self._rows.put(ref, HistoryRow(ref, build.created_ns, record.SerializeToString()))
        self._emit(BuildHistoryEvent(type=COMPLETE, record=record))
        unpinned = sorted((row for row in self._rows if not row.is_pinned), key=lambda row: row.created_ns)
        for row in unpinned[: max(0, len(unpinned) - MAX_RECORDS)]:
            self._remove(row)

    def _remove(self, row: HistoryRow) -> None:
        self._path(row.ref).unlink(missing_ok=True)
        self._rows.delete(row.ref)
        self._emit(BuildHistoryEvent(type=DELETED, record=BuildHistoryRecord(Ref=row.ref)))

    def delete(self, ref: str) -> None:
        """Remove a finished build.

        Raises:
            NotFound: There is none of that reference.
        """
        self._remove(self._row(ref))

    def pin(self, ref: str, *, is_pinned: bool) -> None:
        """Keep a build for good, or no more.

        Raises:
            NotFound: There is none of that reference.
        """
        row = self._row(ref)
        self._rows.put(ref, msgspec.structs.replace(row, is_pinned=is_pinned))
        self._emit(BuildHistoryEvent(type=COMPLETE, record=_record(self._row(ref))))

    def _row(self, ref: str) -> HistoryRow:
        row = self._rows.get(ref)
        if row is None:
            raise NotFound(f"no build {ref[:100]} in the history")
        return row

    def records(self) -> list[BuildHistoryRecord]:
        """Return all finished builds, the newest first."""
        return [_record(row) for row in sorted(self._rows, key=lambda row: row.created_ns, reverse=True)]

    def running(self) -> list[Build]:
        """Return the running builds."""
        return list(self._running.values())

    def progress(self, ref: str) -> Iterator[StatusResponse]:
        """Yield the progress of a finished build.

        Raises:
            NotFound: There is none of that reference.
        """
        self._row(ref)
        yield from _read(self._path(ref))

    def _emit(self, event: BuildHistoryEvent) -> None:
        for queue in self._subscribers:
            if queue.qsize() < MAX_SUBSCRIBER_EVENTS:
                queue.put_nowait(event)

    @contextlib.contextmanager
    def subscribed(self) -> Iterator[asyncio.Queue[BuildHistoryEvent]]:
        """Collect events from now on."""
        queue: asyncio.Queue[BuildHistoryEvent] = asyncio.Queue()
        self._subscribers.add(queue)
        try:
            yield queue
        finally:
            self._subscribers.discard(queue)


def describe(build: Build) -> BuildHistoryRecord:
    """Return the record of a build as it is now."""
    request = build.request
    vertices = build.progress.vertices.values()
    record = BuildHistoryRecord(
        Ref=request.ref,
        Frontend=request.frontend or build.frontend,
        FrontendAttrs=request.attributes or build.attributes,
        Exporters=request.exporters,
        CreatedAt=timestamp(build.created_ns),
        numCachedSteps=sum(vertex.cached for vertex in vertices),
        numTotalSteps=len(vertices),
        numCompletedSteps=sum(vertex.HasField("completed") for vertex in vertices),
        numWarnings=build.progress.warnings,
    )
    if build.completed_ns:
        record.CompletedAt.CopyFrom(timestamp(build.completed_ns))
    return record


def _record(row: HistoryRow) -> BuildHistoryRecord:
    record = BuildHistoryRecord.FromString(row.record)
    record.pinned = row.is_pinned
    return record


def _write(path: Path, messages: list[StatusResponse]) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        for message in messages:
            data = message.SerializeToString()
            file.write(_LENGTH.pack(len(data)) + data)


def _read(path: Path) -> Iterator[StatusResponse]:
    """Yield the messages of a file; what a crash left incomplete ends it."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        while len(head := file.read(_LENGTH.size)) == _LENGTH.size:
            data = file.read(_LENGTH.unpack(head)[0])
            try:
                yield StatusResponse.FromString(data)
            except DecodeError:
                return
