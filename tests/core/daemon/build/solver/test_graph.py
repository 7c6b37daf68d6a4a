"""Graphs of definitions: only what the target needs, and no malformed one."""

from __future__ import annotations

import pytest

from pyd_core.buildkit.proto import ops_pb2
from pyd_core.daemon.build.solver.graph import Edge, digest_of, operations, read_graph
from pyd_core.errors import InvalidInput
from support.llb import Llb


def test_an_empty_definition_is_an_empty_file_system() -> None:
    assert read_graph(ops_pb2.Definition()) is None


def test_vertices_come_after_their_inputs() -> None:
    llb = Llb()
    context = llb.source("local://context")
    base = llb.copy("", context, "/a", "/a")
    last = llb.run(base, "true")
    graph = read_graph(llb.end(last))
    assert graph is not None
    assert list(graph.vertices) == [context, base, last]
    assert graph.target == Edge(last, 0)
    assert graph.vertices[last].name == "RUN true"


def test_vertices_that_the_target_does_not_need_are_left_out() -> None:
    llb = Llb()
    context = llb.source("local://context")
    llb.run(context, "unneeded")
    graph = read_graph(llb.end(context))
    assert graph is not None
    assert list(graph.vertices) == [context]


def test_a_deep_graph_is_read_without_recursion() -> None:
    llb = Llb()
    last = llb.source("local://context")
    for number in range(5000):
        last = llb.run(last, f"step {number}")
    graph = read_graph(llb.end(last))
    assert graph is not None
    assert len(graph.vertices) == 5001


def test_a_missing_input_is_refused() -> None:
    llb = Llb()
    last = llb.run("sha256:" + "0" * 64, "true")
    with pytest.raises(InvalidInput, match="lacks its operation"):
        read_graph(llb.end(last))


def test_an_operation_that_names_itself_is_refused() -> None:
    """A digest covers its inputs, so a cycle can only be claimed, by an input that isn't there."""
    op = ops_pb2.Op(file=ops_pb2.FileOp())
    op.inputs.add(digest=digest_of(op.SerializeToString()), index=0)
    definition = ops_pb2.Definition()
    operations(definition).append(op.SerializeToString())  # type: ignore[attr-defined]
    with pytest.raises(InvalidInput, match="lacks its operation"):
        read_graph(definition)


@pytest.mark.parametrize("body", [b"\xff\xff\xff", b"\x0a\x7f"])
def test_malformed_operations_are_refused(body: bytes) -> None:
    definition = ops_pb2.Definition()
    operations(definition).append(body)  # type: ignore[attr-defined]
    with pytest.raises(InvalidInput):
        read_graph(definition)


def test_an_operation_of_an_unknown_kind_is_refused() -> None:
    llb = Llb()
    with pytest.raises(InvalidInput, match="unknown kind"):
        read_graph(llb.end(llb.add(ops_pb2.Op(platform=ops_pb2.Platform(OS="plan9")))))
