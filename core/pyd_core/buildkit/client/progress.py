"""Progress of a build: its steps, with what they transfer and print, from the builder's status stream."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from pyd_core.buildkit.proto import control_pb2

MAX_STEPS = 20_000
"""Steps that are kept of one build; a builder that sends more is cut off."""
MAX_TRANSFERS = 1_000
"""Transfers that are kept of one step."""
MAX_WARNINGS = 1_000
MAX_LOG_LINES = 2_000
"""Last lines that are kept of one step."""
MAX_LINE_BYTES = 16 * 1024
"""Bytes of a line; the rest of a longer one is on the next."""


class Transfer(msgspec.Struct):
    """A part of a step with a progress of its own, such as a layer or the build context. Times are in seconds."""

    id: str
    name: str = ""
    current: int = 0
    total: int = 0
    started: float | None = None
    completed: float | None = None


class Warning(msgspec.Struct, frozen=True):  # noqa: A001 - BuildKit's word
    """A warning of the Dockerfile's checks."""

    message: str
    details: tuple[str, ...] = ()
    url: str = ""
    filename: str = ""
    line: int = 0


class StepOutputLine(msgspec.Struct, frozen=True):
    """A line that a step printed; `stream` is 1 for standard output and 2 for standard error."""

    step: str
    stream: int
    text: str


class StepProgress(msgspec.Struct):
    """A step of a build, a vertex of its graph. Times are in seconds since the epoch."""

    digest: str
    name: str = ""
    number: int = 0
    """Its place in the order of their first appearance, from 1."""
    inputs: tuple[str, ...] = ()
    started: float | None = None
    completed: float | None = None
    cached: bool = False
    error: str = ""
    transfers: dict[str, Transfer] = {}
    lines: deque[StepOutputLine] = msgspec.field(default_factory=lambda: deque(maxlen=MAX_LOG_LINES))
    skipped_lines: int = 0
    spent: float = 0.0
    """Seconds of earlier runs: the builder may start a step several times."""

    @property
    def is_running(self) -> bool:
        """Whether it runs now."""
        return self.started is not None and self.completed is None

    @property
    def is_internal(self) -> bool:
        """Whether it is a part of the builder's own work rather than an instruction."""
        return self.name.startswith("[internal]")

    def duration(self, now: float) -> float:
        """Return the seconds that it has run."""
        if self.started is None:
            return self.spent
        return self.spent + max(0.0, (self.completed if self.completed is not None else now) - self.started)


class ProgressChange(msgspec.Struct, frozen=True):
    """Changes that a message of the status stream brought."""

    steps: tuple[StepProgress, ...] = ()
    lines: tuple[StepOutputLine, ...] = ()
    warnings: tuple[Warning, ...] = ()


class BuildSteps:
    """The steps of a build so far, in the order of their first appearance."""

    def __init__(self) -> None:
        self.steps: dict[str, StepProgress] = {}
        self.warnings: list[Warning] = []
        self._partial: dict[tuple[str, int], bytes] = {}

    def apply(self, response: control_pb2.StatusResponse) -> ProgressChange:
        """Take a message of the status stream in, and return what changed."""
        changed: dict[str, StepProgress] = {}
        for vertex in response.vertexes:
            step = self._step(vertex.digest)
            if step is not None:
                _update(step, vertex)
                changed[step.digest] = step
        for status in response.statuses:
            step = self.steps.get(status.vertex)
            if step is None or (status.ID not in step.transfers and len(step.transfers) >= MAX_TRANSFERS):
                continue
            step.transfers[status.ID] = Transfer(
                id=status.ID, name=status.name, current=status.current, total=status.total,
                started=_seconds(status.started) if status.HasField("started") else None,
                completed=_seconds(status.completed) if status.HasField("completed") else None,
            )  # fmt: skip
            changed[step.digest] = step
        lines: list[StepOutputLine] = []
        for log in response.logs:
            lines += self._split(log.vertex, log.stream, log.msg)
        lines += self._keep(
            line for step in changed.values() if step.completed is not None for line in self._rest(step)
        )
        warnings = tuple(_warning(warning) for warning in response.warnings)[: MAX_WARNINGS - len(self.warnings)]
        self.warnings += warnings
        return ProgressChange(steps=tuple(changed.values()), lines=tuple(lines), warnings=warnings)

    def running(self) -> list[StepProgress]:
        """Return the steps that run now."""
        return [step for step in self.steps.values() if step.is_running]

    def _step(self, digest: str) -> StepProgress | None:
        step = self.steps.get(digest)
        if step is None and len(self.steps) < MAX_STEPS:
            step = self.steps[digest] = StepProgress(digest=digest, number=len(self.steps) + 1)
        return step

    def _split(self, digest: str, stream: int, data: bytes) -> list[StepOutputLine]:
        if digest not in self.steps:
            return []
        key = (digest, stream)
        *complete, rest = (self._partial.pop(key, b"") + data).split(b"\n")
        while len(rest) > MAX_LINE_BYTES:
            complete.append(rest[:MAX_LINE_BYTES])
            rest = rest[MAX_LINE_BYTES:]
        if rest:
            self._partial[key] = rest
        return self._keep(_log_line(digest, stream, line) for line in complete)

    def _rest(self, step: StepProgress) -> list[StepOutputLine]:
        """Return the last lines of a completed step, which have no line end."""
        keys = [key for key in self._partial if key[0] == step.digest]
        return [_log_line(step.digest, key[1], self._partial.pop(key)) for key in keys]

    def _keep(self, lines: Iterable[StepOutputLine]) -> list[StepOutputLine]:
        kept = list(lines)
        for line in kept:
            step = self.steps[line.step]
            if len(step.lines) == MAX_LOG_LINES:
                step.skipped_lines += 1
            step.lines.append(line)
        return kept


def _log_line(digest: str, stream: int, data: bytes) -> StepOutputLine:
    text = data[:MAX_LINE_BYTES].decode(errors="replace").rstrip("\r")
    return StepOutputLine(step=digest, stream=stream, text=text.rpartition("\r")[2])


def _update(step: StepProgress, vertex: control_pb2.Vertex) -> None:
    step.name = vertex.name or step.name
    step.inputs = tuple(vertex.inputs) or step.inputs
    step.cached = step.cached or vertex.cached
    started = _seconds(vertex.started) if vertex.HasField("started") else None
    completed = _seconds(vertex.completed) if vertex.HasField("completed") else None
    if started is not None and step.started is not None and step.completed is not None and started > step.started:
        step.spent += step.completed - step.started
        step.completed = None
    step.started = started if started is not None else step.started
    step.completed = completed if completed is not None else step.completed
    step.error = vertex.error or step.error


def _warning(warning: control_pb2.VertexWarning) -> Warning:
    return Warning(
        message=warning.short[:MAX_LINE_BYTES].decode(errors="replace"),
        details=tuple(detail[:MAX_LINE_BYTES].decode(errors="replace") for detail in warning.detail[:20]),
        url=warning.url,
        filename=warning.info.filename,
        line=warning.ranges[0].start.line if warning.ranges else 0,
    )


def _seconds(timestamp: Timestamp) -> float:
    return timestamp.seconds + timestamp.nanos / 1e9
