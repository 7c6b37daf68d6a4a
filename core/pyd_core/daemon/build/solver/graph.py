"""The graph of a definition: its vertices by digest (moby/buildkit, `solver/pb/ops.proto`)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from pyd_core.buildkit.proto import control_pb2, ops_pb2
from pyd_core.errors import InvalidInput

MAX_VERTICES = 100_000
MAX_INPUTS = 4096
MAX_NAME_LENGTH = 2000


@dataclass(frozen=True)
class Edge:
    """An output of a vertex."""

    digest: str
    index: int


@dataclass(frozen=True, kw_only=True)
class Vertex:
    """An operation with its inputs.

    Attributes:
        digest: Digest of the serialized operation, which covers all its inputs.
        ignore_cache: Whether it runs although its result is known.
    """

    digest: str
    op: ops_pb2.Op
    inputs: tuple[Edge, ...]
    name: str
    ignore_cache: bool = False
    progress_group: ops_pb2.ProgressGroup | None = None

    def message(self) -> control_pb2.Vertex:
        """Return the vertex as progress reports it, not started."""
        message = control_pb2.Vertex(
            digest=self.digest, name=self.name, inputs=list(dict.fromkeys(edge.digest for edge in self.inputs))
        )
        if self.progress_group is not None:
            message.progressGroup.CopyFrom(self.progress_group)
        return message


@dataclass(frozen=True, kw_only=True)
class Graph:
    """The vertices that a target depends on, each after its inputs."""

    vertices: Mapping[str, Vertex]
    target: Edge


def operations(definition: ops_pb2.Definition) -> Sequence[bytes]:
    """Return the serialized operations of a definition; the field's name is a keyword of Python."""
    parts: Sequence[bytes] = getattr(definition, "def")
    return parts


def digest_of(serialized: bytes) -> str:
    """Return the digest that names a serialized operation."""
    return f"sha256:{hashlib.sha256(serialized).hexdigest()}"


def read_graph(definition: ops_pb2.Definition) -> Graph | None:
    """Read a definition; None if it is empty, which stands for an empty file system.

    An operation names its inputs by digest, so there can be no cycle.

    Raises:
        InvalidInput: It is malformed.
    """
    parts = operations(definition)
    if not parts:
        return None
    if len(parts) > MAX_VERTICES:
        raise InvalidInput(f"the definition has more than {MAX_VERTICES} operations", reference="bad-definition")
    ops: dict[str, ops_pb2.Op] = {}
    for serialized in parts:
        try:
            ops[digest_of(serialized)] = ops_pb2.Op.FromString(serialized)
        except DecodeError as error:
            raise InvalidInput("the definition contains a malformed operation", reference="bad-definition") from error
    terminal = ops[digest_of(parts[-1])]
    if terminal.WhichOneof("op") is None:
        if len(terminal.inputs) != 1:
            raise InvalidInput("the definition's last operation must have one input", reference="bad-definition")
        target = Edge(terminal.inputs[0].digest, terminal.inputs[0].index)
    else:
        target = Edge(digest_of(parts[-1]), 0)
    return Graph(vertices=_needed(ops, definition, target), target=target)


def _needed(ops: Mapping[str, ops_pb2.Op], definition: ops_pb2.Definition, target: Edge) -> dict[str, Vertex]:
    """Return the vertices below a target, each after its inputs, without recursion."""
    vertices: dict[str, Vertex] = {}
    pending = [target.digest]
    while pending:
        digest = pending[-1]
        if digest in vertices:
            pending.pop()
            continue
        op = ops.get(digest)
        if op is None:
            raise InvalidInput(f"the definition lacks its operation {digest[:71]}", reference="bad-definition")
        if len(op.inputs) > MAX_INPUTS:
            raise InvalidInput("an operation has too many inputs", reference="bad-definition")
        missing = [item.digest for item in op.inputs if item.digest not in vertices]
        if missing:
            pending += missing
            continue
        pending.pop()
        vertices[digest] = _vertex(digest, op, definition)
    return vertices


def _vertex(digest: str, op: ops_pb2.Op, definition: ops_pb2.Definition) -> Vertex:
    if op.WhichOneof("op") is None:
        raise InvalidInput(f"the operation {digest[:71]} is of an unknown kind", reference="unknown-operation")
    metadata = definition.metadata[digest] if digest in definition.metadata else ops_pb2.OpMetadata()
    description = metadata.description
    name = description["llb.customname"] if "llb.customname" in description else _default_name(op)
    for item in op.inputs:
        if item.index < 0:
            raise InvalidInput("an operation names an output below 0", reference="bad-definition")
    return Vertex(
        digest=digest,
        op=op,
        inputs=tuple(Edge(item.digest, item.index) for item in op.inputs),
        name=name[:MAX_NAME_LENGTH],
        ignore_cache=metadata.ignore_cache,
        progress_group=metadata.progress_group if metadata.HasField("progress_group") else None,
    )


def _default_name(op: ops_pb2.Op) -> str:
    match op.WhichOneof("op"):
        case "source":
            return op.source.identifier
        case "exec":
            return " ".join(op.exec.meta.args)
        case "file":
            return ", ".join(action.WhichOneof("action") or "" for action in op.file.actions)
        case kind:
            return kind or ""
