"""Details of gRPC errors, as BuildKit packs them (moby/buildkit, `util/grpcerrors`).

The trailer `grpc-status-details-bin` carries a `google.rpc.Status`. Each detail is an `Any`. BuildKit's own types have
type URLs such as `github.com/moby/buildkit/errdefs.Source+json`; their values are JSON in some releases and Protocol
Buffers in others, so details are decoded by those who look for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf import any_pb2, json_format
from google.protobuf.message import DecodeError, Message
from grpclib.encoding.base import StatusDetailsCodecBase

from pyd_core.buildkit.proto import status_pb2

if TYPE_CHECKING:
    from grpclib.const import Status

MAX_DETAILS = 64
"""Details that are read of one error."""

M = TypeVar("M", bound=Message)


class StatusDetailsCodec(StatusDetailsCodecBase):
    """Reads and writes the details of errors as `Any` messages."""

    def encode(self, status: Status, message: str | None, details: Sequence[Message] | None) -> bytes:
        """Pack details; an `Any` is sent unchanged."""
        packed = status_pb2.Status(code=status.value, message=message or "")
        for detail in details or ():
            item = packed.details.add()
            if isinstance(detail, any_pb2.Any):
                item.CopyFrom(detail)
            else:
                item.Pack(detail)
        return packed.SerializeToString()

    def decode(self, status: Status, message: str | None, data: bytes) -> Sequence[any_pb2.Any]:  # noqa: ARG002
        """Return the details, still packed; none if they can't be read."""
        try:
            return list(status_pb2.Status.FromString(data).details)[:MAX_DETAILS]
        except DecodeError:
            return []


def find_details(details: Any, name: str, kind: type[M]) -> list[M]:
    """Return the details of one type, such as `errdefs.Source`.

    Args:
        details: The details of a `GRPCError`.
        name: The type's full name.
        kind: Its message class.
    """
    results: list[M] = []
    for detail in details or ():
        if not isinstance(detail, any_pb2.Any):
            continue
        url = detail.type_url.rpartition("/")[2].removesuffix("+json")
        if url != name:
            continue
        try:
            if detail.value[:1] == b"{":
                results.append(json_format.Parse(detail.value, kind(), ignore_unknown_fields=True))
            else:
                results.append(kind.FromString(detail.value))
        except (DecodeError, json_format.ParseError, UnicodeDecodeError):
            continue
    return results
