"""Search for an operation in a definition."""

from __future__ import annotations

from pyd_core.buildkit.llb.definition import unmarshal
from pyd_core.buildkit.llb.vertex import GraphVertex
from pyd_core.buildkit.proto import ops_pb2
from pyd_core.errors import NotFound


def find_vertex(definition: ops_pb2.Definition, digest: str) -> GraphVertex:
    """Return the vertex of an operation, with its inputs.

    Args:
        definition: The graph.
        digest: The operation's digest.

    Raises:
        NotFound: It isn't in the definition.
        InvalidInput: The definition is none.
    """
    if digest not in definition.metadata:
        raise NotFound("the step isn't in the build's definition")
    graph = ops_pb2.Definition()
    graph.CopyFrom(definition)
    ops: list[bytes] = getattr(graph, "def")  # the field's name is a keyword
    del ops[-1:]
    ops.append(ops_pb2.Op(inputs=[ops_pb2.Input(digest=digest)]).SerializeToString())
    output = unmarshal(graph)
    if output is None:
        raise NotFound("the step isn't in the build's definition")
    return output.vertex
