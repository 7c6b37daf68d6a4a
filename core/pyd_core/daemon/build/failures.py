"""Failures of builds as clients of BuildKit read them: a status with details that point into the Dockerfile."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import TYPE_CHECKING

from google.protobuf import json_format
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from pyd_core.buildkit.proto import ops_pb2
from pyd_core.buildkit.proto.status_pb2 import Status as StatusMessage
from pyd_core.buildkit.rpc.failures import json_detail, to_status
from pyd_core.daemon.build.interfaces import BuildRef, VertexError
from pyd_core.errors import DockerfileError, PydError

if TYPE_CHECKING:
    from google.protobuf.any_pb2 import Any as AnyMessage

MAX_DETAIL_BYTES = 512 << 10
"""Details travel as a header; a Dockerfile beyond this is left out."""


def failure(
    error: PydError, sources: Iterable[ops_pb2.Source] = (), file: ops_pb2.SourceInfo | None = None
) -> GRPCError:
    """Return a build's error with its details.

    Args:
        error: What went wrong.
        sources: The sources of the build's definitions: they know the lines of each vertex.
        file: The Dockerfile, for errors with a line of it.
    """
    details: list[AnyMessage] = []
    if isinstance(error, VertexError):
        details.append(json_detail("errdefs.Vertex", {"digest": error.digest}))
        if error.op is not None and error.mounts:
            details.append(solve_detail(error, error.op))
        details += (source_detail(info, ranges) for info, ranges in locations(error.digest, sources))
    elif isinstance(error, DockerfileError) and error.line and file is not None:
        span = ops_pb2.Range(
            start=ops_pb2.Position(line=error.line), end=ops_pb2.Position(line=error.end_line or error.line)
        )
        details.append(source_detail(file, [span]))
    # Clients put any other status in front of the message, where it says nothing to their users.
    return GRPCError(Status.UNKNOWN, to_status(error).message, details or None)


def solve_detail(error: VertexError, op: ops_pb2.Op) -> AnyMessage:
    """Return a failed step with the states of its mounts before and after, on which clients open containers."""

    def ids(refs: Iterable[BuildRef | None]) -> list[str]:
        return [ref.id if ref is not None else "" for ref in refs]

    inputs = [error.inputs[mount.input] if 0 <= mount.input < len(error.inputs) else None for mount in op.exec.mounts]
    states = {"inputIDs": ids(inputs), "mountIDs": ids(error.mounts), "op": json_format.MessageToDict(op)}
    return json_detail("errdefs.Solve", states)


def locations(
    digest: str, sources: Iterable[ops_pb2.Source]
) -> Iterable[tuple[ops_pb2.SourceInfo, Iterable[ops_pb2.Range]]]:
    """Yield the places in files that a vertex comes from."""
    for source in sources:
        if digest not in source.locations:
            continue
        for location in source.locations[digest].locations:
            if 0 <= location.sourceIndex < len(source.infos):
                yield source.infos[location.sourceIndex], location.ranges
        return


def source_detail(info: ops_pb2.SourceInfo, ranges: Iterable[ops_pb2.Range]) -> AnyMessage:
    """Return a place in a file; clients print the file's lines around it."""
    data = info.data if len(info.data) <= MAX_DETAIL_BYTES else b""
    return json_detail(
        "errdefs.Source",
        {
            "info": {"filename": info.filename, "data": base64.b64encode(data).decode(), "language": info.language},
            "ranges": [
                {
                    "start": {"line": span.start.line, "character": span.start.character},
                    "end": {"line": span.end.line, "character": span.end.character},
                }
                for span in ranges
            ],
        },
    )


def from_message(status: StatusMessage) -> GRPCError:
    """Return an error that a client reported as the result of its build."""
    try:
        code = Status(status.code)
    except ValueError:
        code = Status.UNKNOWN
    return GRPCError(code if code is not Status.OK else Status.UNKNOWN, status.message, list(status.details) or None)


def to_message(error: GRPCError) -> StatusMessage:
    """Return an error as the history keeps it."""
    return StatusMessage(code=error.status.value, message=error.message or "", details=error.details or ())
