"""Rows and details of builds, with what hostile builds are called."""

from __future__ import annotations

from typing import Any, cast

from google.protobuf.timestamp_pb2 import Timestamp

from pyd_core.buildkit.client.history import BuildRecord
from pyd_core.buildkit.client.progress import BuildSteps
from pyd_core.buildkit.proto.control_pb2 import StatusResponse, Vertex, VertexLog
from pyd_tui.dashboard.render.figures import Clock
from pyd_tui.dashboard.resources.base import LoadContext
from pyd_tui.dashboard.resources.builds import about, row

NOW_S = 1_800_000_000


def context() -> LoadContext:
    from datetime import UTC

    return LoadContext(link=cast("Any", None), clock=Clock(now=lambda: NOW_S * 10**9, zone=UTC))


def text(cells: Any) -> str:
    return "\n".join("".join(piece.text for piece in line) for line in cells)


def test_a_running_build_counts_its_seconds():
    record = BuildRecord(
        reference="r1", attributes={"filename": "Dev\x1b[2J"}, created=NOW_S - 12.3, total_steps=4, completed_steps=2
    )
    shown = text(row(record, context()).cells)
    assert "running" in shown
    assert "12.3 s" in shown
    assert "2/4" in shown
    assert "\x1b" not in shown


def test_the_details_show_the_steps_and_the_last_output():
    record = BuildRecord(
        reference="r1", status="error", error="exit code: 3", created=NOW_S - 9, completed=NOW_S - 4,
        metadata={"containerimage.digest": "sha256:1", "containerimage.config": "{}"},
    )  # fmt: skip
    progress = BuildSteps()
    started = Timestamp(seconds=NOW_S - 8)
    ended = Timestamp(seconds=NOW_S - 5)
    failed = Vertex(digest="a", name="[app 2/2] RUN make", started=started, completed=ended, error="exit code: 3")
    logs = [VertexLog(vertex="a", stream=1, msg=b"no rule\x07\n")]
    progress.apply(StatusResponse(vertexes=[failed]))
    progress.apply(StatusResponse(logs=logs))
    shown = text(about(record, progress, context()))
    assert "✗ 2/2 RUN make" in shown
    assert "3.0 s" in shown
    assert "no rule␇" in shown
    assert "containerimage.digest=sha256:1" in shown
    assert "containerimage.config" not in shown
