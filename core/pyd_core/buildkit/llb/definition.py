"""Definitions: a graph of operations, serialized, with digests, metadata and source lines."""

from __future__ import annotations

import hashlib

from pyd_core.buildkit.llb.vertex import GraphVertex, VertexOutput
from pyd_core.buildkit.proto import ops_pb2
from pyd_core.errors import InvalidInput


def op_digest(serialized: bytes) -> str:
    """Return the digest of a serialized operation."""
    return f"sha256:{hashlib.sha256(serialized).hexdigest()}"


def marshal(output: VertexOutput | None, *, source: ops_pb2.SourceInfo | None = None) -> ops_pb2.Definition:
    """Return the definition that produces an output; only operations that it needs are in it.

    Args:
        output: The result; None is an empty file system, whose definition is empty.
        source: The file that the operations' lines refer to.
    """
    definition = ops_pb2.Definition()
    if output is None:
        return definition
    digests: dict[GraphVertex, str] = {}
    if source is not None:
        definition.Source.infos.append(source)
    for vertex in _in_order(output.vertex):
        op = ops_pb2.Op()
        op.CopyFrom(vertex.op)
        op.inputs.extend(ops_pb2.Input(digest=digests[parent.vertex], index=parent.number) for parent in vertex.inputs)
        serialized = op.SerializeToString(deterministic=True)
        digest = digests[vertex] = op_digest(serialized)
        if digest in definition.metadata:
            _merge(definition.metadata[digest], vertex.metadata)
        else:
            _ops(definition).append(serialized)
            definition.metadata[digest].CopyFrom(vertex.metadata)
        if source is not None and vertex.lines is not None:
            _locate(definition, digest, vertex.lines)
    final = ops_pb2.Op(inputs=[ops_pb2.Input(digest=digests[output.vertex], index=output.number)])
    serialized = final.SerializeToString(deterministic=True)
    _ops(definition).append(serialized)
    definition.metadata[op_digest(serialized)].SetInParent()
    return definition


def _in_order(root: GraphVertex) -> list[GraphVertex]:
    """Return a vertex and all that it needs, each after its inputs; without recursion, for long chains."""
    ordered: list[GraphVertex] = []
    done: set[GraphVertex] = set()
    stack: list[tuple[GraphVertex, bool]] = [(root, False)]
    while stack:
        vertex, is_expanded = stack.pop()
        if vertex in done:
            continue
        if is_expanded:
            done.add(vertex)
            ordered.append(vertex)
            continue
        stack.append((vertex, True))
        stack += [(parent.vertex, False) for parent in reversed(vertex.inputs) if parent.vertex not in done]
    return ordered


def _ops(definition: ops_pb2.Definition) -> list[bytes]:
    ops: list[bytes] = getattr(definition, "def")  # the field's name is a keyword
    return ops


def _merge(metadata: ops_pb2.OpMetadata, other: ops_pb2.OpMetadata) -> None:
    """Keep what either of two equal operations says: one that must run again must run again for both."""
    metadata.ignore_cache = metadata.ignore_cache or other.ignore_cache


def _locate(definition: ops_pb2.Definition, digest: str, lines: tuple[int, int]) -> None:
    start, end = lines
    location = ops_pb2.Location(
        sourceIndex=0, ranges=[ops_pb2.Range(start=ops_pb2.Position(line=start), end=ops_pb2.Position(line=end))]
    )
    locations = definition.Source.locations[digest].locations
    if location not in locations:
        locations.append(location)


MAX_OPS = 50_000
"""Limit for the operations of a definition."""
MAX_OP_BYTES = 16 << 20
"""Limit for an operation."""


def unmarshal(definition: ops_pb2.Definition) -> VertexOutput | None:
    """Return the output of a definition that a client sent; an empty definition is an empty file system.

    Raises:
        InvalidInput: It has no result, or an operation needs one that is missing or comes later.
    """
    ops = _ops(definition)
    if not ops:
        return None
    if len(ops) > MAX_OPS:
        raise InvalidInput(f"invalid definition: it has more than {MAX_OPS:,} operations", reference="bad-definition")
    vertices: dict[str, GraphVertex] = {}
    for serialized in ops[:-1]:
        op, inputs = _decode(serialized, vertices)
        if op.WhichOneof("op") is None:
            raise InvalidInput("invalid definition: an operation is of no known kind", reference="bad-definition")
        digest = op_digest(serialized)
        del op.inputs[:]
        metadata = ops_pb2.OpMetadata()
        if digest in definition.metadata:
            metadata.CopyFrom(definition.metadata[digest])
        vertices[digest] = GraphVertex(op, inputs, metadata=metadata)
    op, inputs = _decode(ops[-1], vertices)
    if op.WhichOneof("op") is not None or len(inputs) != 1:
        raise InvalidInput("invalid definition: it has no result", reference="bad-definition")
    return inputs[0]


def _decode(serialized: bytes, vertices: dict[str, GraphVertex]) -> tuple[ops_pb2.Op, list[VertexOutput]]:
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - loaded with the messages

    if len(serialized) > MAX_OP_BYTES:
        raise InvalidInput("invalid definition: an operation is too large", reference="bad-definition")
    try:
        op = ops_pb2.Op.FromString(serialized)
    except DecodeError as error:
        raise InvalidInput(f"invalid definition: {error}", reference="bad-definition") from None
    inputs = []
    for item in op.inputs:
        if item.digest not in vertices or not 0 <= item.index < MAX_OPS:
            raise InvalidInput(
                f"invalid definition: an operation needs {item.digest[:80]}, which isn't before it",
                reference="bad-definition",
            )
        inputs.append(VertexOutput(vertices[item.digest], item.index))
    return op, inputs
