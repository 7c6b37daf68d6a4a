"""gRPC's status codes as errors of this project, and back."""

from __future__ import annotations

import msgspec
from google.protobuf.any_pb2 import Any as AnyMessage
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from pyd_core.errors import (
    Conflict,
    EngineError,
    EngineUnavailable,
    InvalidInput,
    NotFound,
    PydError,
    Refused,
    StreamInterrupted,
    Unsupported,
)

TYPE_PREFIX = "github.com/moby/buildkit/"
"""BuildKit packs details as JSON, under addresses such as `github.com/moby/buildkit/errdefs.Source+json`."""

_STATUS_OF: tuple[tuple[type[PydError], Status], ...] = (
    (NotFound, Status.NOT_FOUND),
    (InvalidInput, Status.INVALID_ARGUMENT),
    (Unsupported, Status.UNIMPLEMENTED),
    (Refused, Status.PERMISSION_DENIED),
    (Conflict, Status.FAILED_PRECONDITION),
    (EngineUnavailable, Status.UNAVAILABLE),
)
_ERROR_OF: dict[Status, type[PydError]] = {
    Status.NOT_FOUND: NotFound,
    Status.INVALID_ARGUMENT: InvalidInput,
    Status.OUT_OF_RANGE: InvalidInput,
    Status.UNIMPLEMENTED: Unsupported,
    Status.PERMISSION_DENIED: Refused,
    Status.UNAUTHENTICATED: Refused,
    Status.ALREADY_EXISTS: Conflict,
    Status.FAILED_PRECONDITION: Conflict,
    Status.UNAVAILABLE: StreamInterrupted,
    Status.CANCELLED: StreamInterrupted,
}


def json_detail(name: str, fields: object) -> AnyMessage:
    """Return a detail as BuildKit packs it.

    Args:
        name: Its package and type, such as `errdefs.Source`.
        fields: Its content as plain data, with the names that BuildKit's JSON has.
    """
    return AnyMessage(type_url=f"{TYPE_PREFIX}{name}+json", value=msgspec.json.encode(fields))


def to_status(error: PydError) -> GRPCError:
    """Return an error as gRPC reports it; what a client can't act on has the status `UNKNOWN`."""
    status = next((status for kind, status in _STATUS_OF if isinstance(error, kind)), Status.UNKNOWN)
    message = f"{error.message}: {error.hint}" if error.hint else error.message
    return GRPCError(status, message, getattr(error, "details", None))


def from_status(error: GRPCError) -> PydError:
    """Return what a peer reported as an error of this project."""
    kind = _ERROR_OF.get(error.status, EngineError)
    return kind(error.message or error.status.name.lower().replace("_", " "))
