"""The progress of one build: recorded once, read by any number of clients from its start."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator

from google.protobuf.timestamp_pb2 import Timestamp

from pyd_core.buildkit.proto.control_pb2 import StatusResponse, Vertex, VertexLog, VertexStatus, VertexWarning

MAX_LOG_BYTES = 2 << 20
"""Bound of a vertex's output, as in BuildKit."""
MAX_EVENTS = 200_000
MAX_MESSAGE_BYTES = 1 << 20
INTERVAL_S = 0.05
"""How long events are collected before they are sent."""


def timestamp(time_ns: int | None = None) -> Timestamp:
    """Return a time, by default the present, as messages have it."""
    result = Timestamp()
    result.FromNanoseconds(time.time_ns() if time_ns is None else time_ns)
    return result


class ProgressLog:
    """Implements `BuildProgress`.

    Attributes:
        vertices: The newest state of each vertex, by digest, in the order of their first appearance.
        warnings: How many there were.
    """

    def __init__(self) -> None:
        self.vertices: dict[str, Vertex] = {}
        self.warnings = 0
        self._events: list[Vertex | VertexStatus | VertexLog | VertexWarning] = []
        self._log_bytes: dict[str, int] = {}
        self._ended = asyncio.Event()
        self._news = asyncio.Event()

    def vertex(self, vertex: Vertex) -> None:
        """Report a vertex, or its new state."""
        copy = Vertex()
        copy.CopyFrom(vertex)
        self.vertices[vertex.digest] = copy
        self._add(copy)

    def status(self, status: VertexStatus) -> None:
        """Report progress inside a vertex."""
        self._add(status)

    def log(self, digest: str, stream: int, data: bytes) -> None:
        """Report output of a vertex; what exceeds `MAX_LOG_BYTES` is dropped with a note."""
        before = self._log_bytes.get(digest, 0)
        if before > MAX_LOG_BYTES:
            return
        self._log_bytes[digest] = before + len(data)
        if before + len(data) > MAX_LOG_BYTES:
            data = data[: MAX_LOG_BYTES - before] + b"\n[output clipped, log limit 2MiB reached]\n"
        self._add(VertexLog(vertex=digest, stream=stream, msg=data, timestamp=timestamp()))

    def warning(self, warning: VertexWarning) -> None:
        """Report a warning."""
        self.warnings += 1
        self._add(warning)

    def end(self) -> None:
        """Mark the build as ended."""
        self._ended.set()
        self._wake()

    def _add(self, event: Vertex | VertexStatus | VertexLog | VertexWarning) -> None:
        if len(self._events) < MAX_EVENTS or isinstance(event, Vertex):
            self._events.append(event)
            self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def responses(self, start: int = 0) -> tuple[list[StatusResponse], int]:
        """Return the events from one on as messages of bounded size, and where the next ones begin."""
        messages: list[StatusResponse] = []
        message = StatusResponse()
        size = MAX_MESSAGE_BYTES
        for event in self._events[start:]:
            if size >= MAX_MESSAGE_BYTES:
                message = StatusResponse()
                messages.append(message)
                size = 0
            if isinstance(event, Vertex):
                message.vertexes.append(event)
            elif isinstance(event, VertexStatus):
                message.statuses.append(event)
            elif isinstance(event, VertexLog):
                message.logs.append(event)
            else:
                message.warnings.append(event)
            size += event.ByteSize() if not isinstance(event, VertexLog) else len(event.msg) + 100
        return messages, len(self._events)

    async def follow(self) -> AsyncGenerator[StatusResponse, None]:
        """Yield all events, from the first one until the build ends."""
        position = 0
        while True:
            news, ended = self._news, self._ended.is_set()
            messages, position = self.responses(position)
            for message in messages:
                yield message
            if ended:
                return
            if not messages:
                await news.wait()
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._ended.wait(), INTERVAL_S)
