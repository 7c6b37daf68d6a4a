"""Reports of a vertex: one run may serve several builds, each of which gets its progress."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp

from pyd_core.buildkit.proto import control_pb2
from pyd_core.daemon.build.interfaces import BuildProgress
from pyd_core.daemon.build.solver.graph import Vertex


def now() -> Timestamp:
    """Return the present time."""
    stamp = Timestamp()
    stamp.GetCurrentTime()
    return stamp


def report_cached(progress: BuildProgress, vertex: Vertex) -> None:
    """Report that a vertex's result is known."""
    message = vertex.message()
    message.started.CopyFrom(now())
    message.completed.CopyFrom(message.started)
    message.cached = True
    progress.vertex(message)


class VertexReporter:
    """Reporter of one run."""

    def __init__(self) -> None:
        self._subscribers: list[tuple[BuildProgress, Vertex]] = []
        self._started: Timestamp | None = None

    def subscribe(self, progress: BuildProgress, vertex: Vertex) -> None:
        """Report to another build from now on."""
        self._subscribers.append((progress, vertex))
        if self._started is not None:
            self._send_start(progress, vertex)

    def unsubscribe(self, progress: BuildProgress) -> None:
        """Stop reporting to a build."""
        self._subscribers = [(other, vertex) for other, vertex in self._subscribers if other is not progress]

    def start(self) -> None:
        """Report the start."""
        self._started = now()
        for progress, vertex in self._subscribers:
            self._send_start(progress, vertex)

    def _send_start(self, progress: BuildProgress, vertex: Vertex) -> None:
        message = vertex.message()
        if self._started is not None:
            message.started.CopyFrom(self._started)
        progress.vertex(message)

    def complete(self, error: str = "") -> None:
        """Report the end."""
        for progress, vertex in self._subscribers:
            message = vertex.message()
            message.started.CopyFrom(self._started or now())
            message.completed.CopyFrom(now())
            message.error = error
            progress.vertex(message)

    def log(self, stream: int, data: bytes) -> None:
        """Report output: stream 1 is stdout, 2 is stderr."""
        for progress, vertex in self._subscribers:
            progress.log(vertex.digest, stream, data)

    def status(self, key: str, current: int, total: int = 0, *, started: Timestamp, completed: bool = False) -> None:
        """Report progress inside the vertex."""
        for progress, vertex in self._subscribers:
            status = control_pb2.VertexStatus(
                ID=key, vertex=vertex.digest, name=key, current=current, total=total, timestamp=now(), started=started
            )
            if completed:
                status.completed.CopyFrom(now())
            progress.status(status)
