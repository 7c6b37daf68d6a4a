"""Steps of a definition, by line, stage and text."""

from __future__ import annotations

import pytest

from pyd_core.buildkit.client.failure import FailedStep
from pyd_core.buildkit.llb.definition import marshal
from pyd_core.buildkit.llb.vertex import GraphVertex, VertexOutput
from pyd_core.buildkit.proto import gateway_pb2, ops_pb2
from pyd_core.debug.build.breakpoint import NAME_KEY, definition_of, find_step, list_steps
from pyd_core.debug.build.step_container import failed_state
from pyd_core.debug.build.step_shell import rc_text, shell_meta
from pyd_core.errors import NotFound, Unsupported


def run(name: str, line: int, *inputs: VertexOutput) -> VertexOutput:
    meta = ops_pb2.Meta(args=["/bin/sh", "-c", name], env=["A=it's"], cwd="/w")
    mount = ops_pb2.Mount(dest="/", input=0 if inputs else -1)
    op = ops_pb2.Op(exec=ops_pb2.ExecOp(meta=meta, mounts=[mount]))
    metadata = ops_pb2.OpMetadata(description={NAME_KEY: name})
    return GraphVertex(op, inputs, metadata=metadata, lines=(line, line + 1)).output


@pytest.fixture
def definition() -> ops_pb2.Definition:
    source = ops_pb2.SourceInfo(filename="Dockerfile", data=b"x")
    first = run("[builder 2/3] RUN make", 3)
    return marshal(run("[linux/amd64 builder 3/3] RUN make install", 7, first), source=source)


@pytest.mark.parametrize(
    ("text", "line"),
    [("3", 3), ("4", 3), ("8", 7), ("builder:3", 7), ("builder:2", 3), ("INSTALL", 7), ("run make", 3)],
)
def test_steps_are_named_by_line_stage_and_text(definition: ops_pb2.Definition, text: str, line: int):
    assert find_step(definition, text).first == line


@pytest.mark.parametrize("text", ["5", "99", "builder:9", "other:2", "nothing", "\x1b["])
def test_an_unknown_step_is_an_error_that_lists_the_steps(definition: ops_pb2.Definition, text: str):
    with pytest.raises(NotFound, match="no RUN step is") as missing:
        find_step(definition, text)
    assert missing.value.reference == "no-such-step"
    assert "line 3: [builder 2/3] RUN make" in missing.value.hint
    assert "\x1b" not in missing.value.message


def test_results_without_a_definition_are_refused(definition: ops_pb2.Definition):
    with pytest.raises(NotFound):
        definition_of(gateway_pb2.Result())
    reference = gateway_pb2.Ref()
    getattr(reference, "def").CopyFrom(definition)
    result = gateway_pb2.Result(refs=gateway_pb2.RefMap(refs={"linux/amd64": reference}))
    assert len(list_steps(definition_of(result))) == 2


def test_only_run_steps_have_a_container():
    copy = ops_pb2.Op(file=ops_pb2.FileOp()).SerializeToString()
    with pytest.raises(Unsupported):
        failed_state(FailedStep(op=copy))
    op = run("x", 1).vertex.op.SerializeToString()
    assert failed_state(FailedStep(op=op, mount_ids=("m",))).base_id == ""


def test_the_shell_has_the_steps_environment_and_quotes_its_words():
    op = run("echo '$HOME'; rm -rf \"x\"", 1).vertex.op
    text = rc_text(op)
    assert "env -i 'A=it'\"'\"'s' /bin/sh -c 'echo '\"'\"'$HOME'\"'\"'; rm -rf \"x\"'" in text
    assert "cd /w" in text
    meta = shell_meta(op, "/nonexistent", terminal="", command="id")
    assert meta.cwd == "/w"
    assert "A=it's" in meta.env
    assert meta.args[0] == "/dev/.pyd/bin/bash"
    assert meta.args[-1].endswith("; id")
