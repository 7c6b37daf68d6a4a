"""Progress of an export: a vertex with a line for each of its steps."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from pyd_core.buildkit.proto import control_pb2
from pyd_core.daemon.build.interfaces import BuildProgress
from pyd_core.daemon.build.solver.graph import digest_of
from pyd_core.daemon.build.solver.reporter import now


class ExportSteps:
    """The vertex of one export."""

    def __init__(self, progress: BuildProgress, name: str) -> None:
        self._progress = progress
        self._name = name
        self.digest = digest_of(f"{name} {os.urandom(16).hex()}".encode())
        self._started = now()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Report the export's start and end."""
        self._started = now()
        self._report()
        try:
            yield
        except BaseException as error:
            self._report(error=str(error) or "canceled", is_done=True)
            raise
        self._report(is_done=True)

    def _report(self, *, error: str = "", is_done: bool = False) -> None:
        vertex = control_pb2.Vertex(digest=self.digest, name=self._name, started=self._started, error=error)
        if is_done:
            vertex.completed.CopyFrom(now())
        self._progress.vertex(vertex)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Report the start and end of a step."""
        status = control_pb2.VertexStatus(ID=name, vertex=self.digest, name=name, timestamp=now(), started=now())
        self._progress.status(status)
        yield
        done = control_pb2.VertexStatus()
        done.CopyFrom(status)
        done.timestamp.CopyFrom(now())
        done.completed.CopyFrom(now())
        self._progress.status(done)
