"""Merge operations: layers over each other that don't depend on each other."""

from __future__ import annotations

from collections.abc import Sequence

from pyd_core.buildkit.llb.vertex import GraphVertex, VertexOutput
from pyd_core.buildkit.proto import ops_pb2


def merge(
    outputs: Sequence[VertexOutput | None], *, metadata: ops_pb2.OpMetadata | None = None,
    lines: tuple[int, int] | None = None,
) -> VertexOutput | None:  # fmt: skip
    """Return file systems laid over each other, the lowest first; empty ones are left out."""
    present = [output for output in outputs if output is not None]
    if len(present) < 2:
        return present[0] if present else None
    inputs = [ops_pb2.MergeInput(input=index) for index in range(len(present))]
    return GraphVertex(ops_pb2.Op(merge=ops_pb2.MergeOp(inputs=inputs)), present, metadata=metadata, lines=lines).output
