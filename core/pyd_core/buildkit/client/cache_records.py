"""Records of a builder's cache, and what it takes on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from grpclib.exceptions import GRPCError

from pyd_core.buildkit.client.failure import call_error
from pyd_core.buildkit.proto import control_grpc, control_pb2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyd_core.buildkit.rpc.connection import DuplexChannel

MAX_RECORDS = 1_000_000


class CacheRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record. Times are in seconds since the epoch, sizes in bytes."""

    id: str
    type: str = ""
    description: str = ""
    size: int = 0
    parents: tuple[str, ...] = ()
    created: float | None = None
    last_used: float | None = None
    usage_count: int = 0
    in_use: bool = False
    mutable: bool = False
    shared: bool = False


async def list_cache(channel: DuplexChannel, filters: Sequence[str] = ()) -> list[CacheRecord]:
    """Return the records of a builder's cache, the largest first.

    Args:
        channel: The builder's control connection.
        filters: As `docker buildx du --filter` takes them, such as `type==regular`.

    Raises:
        PydError: The builder refuses.
    """
    try:
        response = await control_grpc.ControlStub(channel).DiskUsage(control_pb2.DiskUsageRequest(filter=filters))
    except GRPCError as error:
        raise call_error(error) from error
    records = [_record(record) for record in response.record[:MAX_RECORDS]]
    return sorted(records, key=lambda record: (-record.size, record.id))


def _record(record: control_pb2.UsageRecord) -> CacheRecord:
    return CacheRecord(
        id=record.ID,
        type=record.RecordType,
        description=record.Description,
        size=record.Size,
        parents=tuple(record.Parents) or ((record.Parent,) if record.Parent else ()),
        created=record.CreatedAt.seconds if record.HasField("CreatedAt") else None,
        last_used=record.LastUsedAt.seconds if record.HasField("LastUsedAt") else None,
        usage_count=record.UsageCount,
        in_use=record.InUse,
        mutable=record.Mutable,
        shared=record.Shared,
    )
