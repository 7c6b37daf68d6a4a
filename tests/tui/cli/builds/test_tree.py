"""The tree of a build, its plain lines and its report, as text."""

from __future__ import annotations

import io

from google.protobuf.timestamp_pb2 import Timestamp

from pyd_core.buildkit.client.failure import SourceLines
from pyd_core.buildkit.client.progress import BuildSteps, ProgressChange
from pyd_core.buildkit.proto.control_pb2 import StatusResponse, Vertex, VertexLog, VertexStatus
from pyd_core.model.image import HistoryLayer, Image
from pyd_tui.cli.builds.displays import JsonDisplay, LiveDisplay, PlainDisplay
from pyd_tui.cli.builds.report import change_lines, size_lines, size_parts, time_lines
from pyd_tui.cli.builds.source_view import source_lines
from pyd_tui.console.builds.stages import group_steps
from pyd_tui.console.builds.tree import TreePainter, clock


def timestamp(seconds: float) -> Timestamp:
    return Timestamp(seconds=int(seconds), nanos=round(seconds % 1 * 1e9))


def vertex(digest: str, name: str, start: float | None = None, end: float | None = None, **fields: object) -> Vertex:
    item = Vertex(digest=digest, name=name, **fields)  # type: ignore[arg-type]
    if start is not None:
        item.started.CopyFrom(timestamp(start))
    if end is not None:
        item.completed.CopyFrom(timestamp(end))
    return item


def example() -> BuildSteps:
    build = BuildSteps()
    build.apply(
        StatusResponse(
            vertexes=[
                vertex("f1", "[final 1/2] FROM base", 1, 1, cached=True),
                vertex("f2", "[final 2/2] COPY --from=builder /out /", inputs=["b2", "f1"]),
                vertex("c", "[internal] load build context", 0, 0.5),
                vertex("b1", "[builder 1/2] COPY . .", 1, 2, inputs=["c"]),
                vertex("b2", "[builder 2/2] RUN make", 2, inputs=["b1"]),
            ],
            logs=[VertexLog(vertex="b2", stream=1, msg=b"cc one.c\ncc \x1b[31mtwo.c\n")],
            statuses=[VertexStatus(ID="pull", vertex="b2", name="layer", current=512, total=1024)],
        )
    )
    return build


def test_the_tree_shows_stages_in_their_order_with_times_and_output():
    lines = TreePainter("app", coloured=False).lines(example(), now=5, started=0, width=60, height=0)
    assert [line.rstrip() for line in lines] == [
        "app  2 of 4 steps, 1 cached                            5.0 s",
        " ✓ context                                             0.5 s",
        " builder",
        "   ✓ 1/2 COPY . .                                      1.0 s",
        "   ▸ 2/2 RUN make                                      3.0 s",
        "       layer  512 B of 1 KiB",
        "       cc one.c",
        "       cc ␛[31mtwo.c",
        " final",
        "   ✓ 1/2 FROM base                                    cached",
        "   · 2/2 COPY --from=builder /out /",
    ]


def test_the_tree_fits_into_a_small_terminal():
    painter = TreePainter("app", coloured=False)
    for height in range(2, 12):
        lines = painter.lines(example(), now=5, started=0, width=20, height=height)
        assert len(lines) <= height
        assert all(len(line) <= 20 for line in lines)
        assert lines[0].startswith("app")


def test_steps_that_refer_to_each_other_in_a_circle_are_drawn():
    build = BuildSteps()
    circle = [vertex("a", "[x 1/2] A", inputs=["b"]), vertex("b", "[y 1/2] B", inputs=["a"])]
    build.apply(StatusResponse(vertexes=circle))
    assert {group.name for group in group_steps(build.steps.values())} == {"x", "y"}


def test_plain_lines_name_each_step_once_and_end_it():
    out = io.StringIO()
    display, build = PlainDisplay(out), BuildSteps()
    for response in (
        StatusResponse(vertexes=[vertex("a", "[1/1] RUN x", 1)]),
        StatusResponse(logs=[VertexLog(vertex="a", stream=1, msg=b"hi \x1b[2J\n")]),
        StatusResponse(vertexes=[vertex("a", "[1/1] RUN x", 1, 3, error="exit code: 1")]),
    ):
        display.update(build, build.apply(response))
    display.finish(build)
    assert out.getvalue().splitlines() == ["#1 [1/1] RUN x", "#1   hi ␛[2J", "#1 failed: exit code: 1"]


def test_json_lines_escape_what_a_terminal_interprets():
    out = io.StringIO()
    build = BuildSteps()
    build.apply(StatusResponse(vertexes=[vertex("a", "x", 1)]))
    change = build.apply(StatusResponse(logs=[VertexLog(vertex="a", stream=2, msg="\u202ehi\n".encode())]))
    JsonDisplay(out).update(build, change)
    assert out.getvalue() == '{"type":"log","digest":"a","stream":2,"text":"\\u202ehi"}\n'


def test_the_live_display_paints_over_itself_and_leaves_the_complete_tree():
    out = io.StringIO()
    out.fileno = lambda: -1  # type: ignore[method-assign] # no terminal: 80 by 24
    display = LiveDisplay(out, "app")
    display.update(example(), ProgressChange())
    painted = out.getvalue()
    display.finish(example())
    assert f"\x1b[{painted.count(chr(13) + chr(10))}A" in out.getvalue()[len(painted) :]


def test_times_are_short():
    shown = [clock(value) for value in (0.01, 0.44, 99.94, 125, 3725)]
    assert shown == ["", "0.4 s", "99.9 s", "2:05 min", "1:02:05 h"]


def test_the_report_names_slow_steps_sizes_and_changes():
    build = example()
    build.apply(StatusResponse(vertexes=[vertex("b2", "[builder 2/2] RUN make", 2, 9)]))
    assert time_lines(build, 10) == [
        "time    10.0 s: builder RUN make 7.0 s; builder COPY . . 1.0 s; load build context 0.5 s"
    ]
    history = [
        HistoryLayer(created_by="COPY /out / # buildkit", size=2048, comment="buildkit.dockerfile.v0"),
        HistoryLayer(created_by="RUN /bin/sh -c something else", size=4096),
    ]
    new = Image(id="new", size=6144)
    assert size_lines(new, size_parts(build, history)) == [
        "size    6 KiB: base image 4 KiB; final 2 KiB (COPY --from=builder /out / 2 KiB)"
    ]
    old = Image(id="old", size=5120, created="1970-01-01T00:00:40Z")
    assert change_lines(build, old, new, now=100) == [
        "changed since the build 1m ago: 2 steps ran, the first was builder COPY . .; size +1 KiB"
    ]
    assert change_lines(build, new, new, now=100) == ["changed nothing since the last build"]
    assert change_lines(build, None, new, now=100) == []


def test_the_place_of_an_error_is_shown_with_a_caret():
    text = "FROM x\n\nRUN one \\\n  && two\nCMD y\n"
    assert source_lines(SourceLines(filename="Dockerfile", text=text, first=3, last=4)) == [
        "Dockerfile:3",
        "  1 | FROM x",
        "  2 |",
        "> 3 | RUN one \\",
        "    | ^^^^^^^^^",
        "> 4 |   && two",
        "  5 | CMD y",
    ]
    assert source_lines(SourceLines(filename="D\x1b", text="", first=9, last=9)) == ["D␛:9"]
