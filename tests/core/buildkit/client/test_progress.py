"""Steps of a build from status messages, those of a hostile builder among them."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp

from pyd_core.buildkit.client import progress
from pyd_core.buildkit.client.progress import BuildSteps
from pyd_core.buildkit.proto.control_pb2 import StatusResponse, Vertex, VertexLog, VertexStatus, VertexWarning


def timestamp(seconds: float) -> Timestamp:
    return Timestamp(seconds=int(seconds), nanos=round(seconds % 1 * 1e9))


def vertex(digest: str = "sha256:1", **fields: object) -> Vertex:
    return Vertex(digest=digest, **{"name": f"step {digest}", **fields})  # type: ignore[arg-type]


def test_a_step_runs_prints_and_completes():
    build = BuildSteps()
    build.apply(StatusResponse(vertexes=[vertex(started=timestamp(10))]))
    assert [step.digest for step in build.running()] == ["sha256:1"]
    change = build.apply(StatusResponse(logs=[VertexLog(vertex="sha256:1", stream=1, msg=b"one\ntwo\rtwo again\nthr")]))
    assert [line.text for line in change.lines] == ["one", "two again"]
    change = build.apply(StatusResponse(vertexes=[vertex(started=timestamp(10), completed=timestamp(12.5))]))
    assert [line.text for line in change.lines] == ["thr"]
    step = build.steps["sha256:1"]
    assert not build.running()
    assert step.duration(now=99) == 2.5


def test_the_time_of_a_step_that_ran_twice_is_the_sum():
    build = BuildSteps()
    build.apply(StatusResponse(vertexes=[vertex(started=timestamp(1), completed=timestamp(2))]))
    build.apply(StatusResponse(vertexes=[vertex(started=timestamp(5))]))
    assert build.steps["sha256:1"].is_running
    build.apply(StatusResponse(vertexes=[vertex(started=timestamp(5), completed=timestamp(8))]))
    assert build.steps["sha256:1"].duration(now=99) == 4


def test_output_of_two_streams_is_not_mixed():
    build = BuildSteps()
    build.apply(StatusResponse(vertexes=[vertex(started=timestamp(1))]))
    logs = [(1, b"out"), (2, b"err"), (1, b"put\n"), (2, b"or\n")]
    change = build.apply(StatusResponse(logs=[VertexLog(vertex="sha256:1", stream=s, msg=m) for s, m in logs]))
    assert [(line.stream, line.text) for line in change.lines] == [(1, "output"), (2, "error")]


def test_what_a_hostile_builder_sends_is_bounded():
    build = BuildSteps()
    for start in range(0, progress.MAX_STEPS + 2000, 1000):
        build.apply(StatusResponse(vertexes=[vertex(f"sha256:{n}") for n in range(start, start + 1000)]))
    assert len(build.steps) == progress.MAX_STEPS
    log = VertexLog(vertex="sha256:1", stream=1, msg=b"x" * 100_000 + b"\n" * 5000)
    build.apply(StatusResponse(logs=[log, VertexLog(vertex="unknown", msg=b"lost\n")]))
    step = build.steps["sha256:1"]
    assert len(step.lines) == progress.MAX_LOG_LINES
    assert step.skipped_lines > 0
    assert max(len(line.text) for line in step.lines) <= progress.MAX_LINE_BYTES
    statuses = [VertexStatus(ID=str(n), vertex="sha256:1") for n in range(progress.MAX_TRANSFERS + 10)]
    build.apply(StatusResponse(statuses=statuses))
    assert len(step.transfers) == progress.MAX_TRANSFERS
    build.apply(StatusResponse(warnings=[VertexWarning(vertex="sha256:1", short=b"w")] * (progress.MAX_WARNINGS + 5)))
    assert len(build.warnings) == progress.MAX_WARNINGS
