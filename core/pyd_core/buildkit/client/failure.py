"""Failures of builds: what failed, and the lines of the Dockerfile that it came from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
from grpclib.const import Status

from pyd_core.buildkit.proto import errdefs_pb2, ops_pb2
from pyd_core.buildkit.rpc.status import find_details
from pyd_core.errors import (
    Conflict,
    EngineError,
    InvalidInput,
    NotFound,
    PydError,
    Refused,
    StreamInterrupted,
    Unsupported,
)
from pyd_core.sanitise import safe

if TYPE_CHECKING:
    from grpclib.exceptions import GRPCError

MAX_MESSAGE_CHARS = 16 * 1024
_PREFIXES = (
    re.compile(r"^failed to solve: "),
    re.compile(r"rpc error: code = \w+ desc = "),
    re.compile(r"failed to compute cache key: "),
    re.compile(r"failed to calculate checksum of ref \S+: "),
)
"""Prefixes that the parts of a builder add to a message and that mean nothing to its user."""


class SourceLines(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of a source file that an error refers to; numbers count from 1."""

    filename: str
    text: str
    """The complete file."""
    first: int
    last: int
    column: int = 0
    """Where on the first line, from 0."""

    @property
    def lines(self) -> str:
        """The lines themselves."""
        return "\n".join(self.text.splitlines()[self.first - 1 : self.last])


class FailedStep(msgspec.Struct, frozen=True, kw_only=True):
    """The step that failed, as the builder describes it.

    `op` is the serialized `pb.Op`; the ids refer to the step's inputs and mounts in the builder.
    """

    digest: str = ""
    op: bytes = b""
    input_ids: tuple[str, ...] = ()
    mount_ids: tuple[str, ...] = ()
    description: dict[str, str] = {}


class BuildFailed(EngineError):
    """A step of a build failed.

    Attributes:
        sources: Lines of the Dockerfile, the innermost first.
        step: The step; None if the failure isn't one of a step.
    """

    reference = "build-failed"

    def __init__(
        self, message: str, *, sources: tuple[SourceLines, ...] = (), step: FailedStep | None = None, hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.sources = sources
        self.step = step


_CATEGORIES: dict[Status, type[PydError]] = {
    Status.PERMISSION_DENIED: Refused,
    Status.UNAUTHENTICATED: Refused,
    Status.UNIMPLEMENTED: Unsupported,
    Status.UNAVAILABLE: StreamInterrupted,
    Status.ALREADY_EXISTS: Conflict,
}


def build_error(error: GRPCError) -> PydError:
    """Return the pyd error for a gRPC error of a build."""
    message = clean_message(error.message)
    details = error.details
    sources = tuple(
        lines
        for source in find_details(details, "errdefs.Source", errdefs_pb2.Source)
        for lines in _source_lines(source)
    )
    step = _failed_step(error)
    if step is None and not sources and (category := _CATEGORIES.get(error.status)):
        return category(message)
    return BuildFailed(message, sources=sources, step=step)


def call_error(error: GRPCError) -> PydError:
    """Return the pyd error for a gRPC error of any other call."""
    message = clean_message(error.message)
    match error.status:
        case Status.NOT_FOUND:
            return NotFound(message)
        case Status.INVALID_ARGUMENT:
            return InvalidInput(message, reference="engine-rejected")
        case _:
            return _CATEGORIES.get(error.status, EngineError)(message)


def clean_message(text: str | None) -> str:
    """Return an error's message on one line, without the prefixes that each layer of the builder adds."""
    message = safe(" ".join((text or "")[:MAX_MESSAGE_CHARS].split()))
    for pattern in _PREFIXES:
        message = pattern.sub("", message)
    return message or "the build failed without a message"


def _failed_step(error: GRPCError) -> FailedStep | None:
    solves = find_details(error.details, "errdefs.Solve", errdefs_pb2.Solve)
    vertices = find_details(error.details, "errdefs.Vertex", errdefs_pb2.Vertex)
    if not solves and not vertices:
        return None
    digest = vertices[0].digest if vertices else ""
    if not solves:
        return FailedStep(digest=digest)
    solve = solves[-1]
    return FailedStep(
        digest=digest,
        op=solve.op.SerializeToString(),
        input_ids=tuple(solve.inputIDs),
        mount_ids=tuple(solve.mountIDs),
        description=dict(solve.description),
    )


def _source_lines(source: errdefs_pb2.Source) -> list[SourceLines]:
    info: ops_pb2.SourceInfo = source.info
    text = info.data.decode(errors="replace")
    return [
        SourceLines(
            filename=info.filename,
            text=text,
            first=item.start.line,
            last=max(item.start.line, item.end.line),
            column=item.start.character,
        )
        for item in source.ranges[:8]
        if item.start.line > 0
    ]
