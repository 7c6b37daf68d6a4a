"""The build cache in the Engine API: `/build/prune`, and its part of `/system/df`.

An engine that hasn't built yet has no cache, and loads nothing of the solver to say so.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pyd_core.daemon.api.encoding import json
from pyd_core.daemon.api.http import HttpRequest, Response
from pyd_core.daemon.api.routes import route
from pyd_core.daemon.filters import until
from pyd_core.errors import InvalidInput
from pyd_core.model.base import format_time
from pyd_core.model.system import BuildCache

if TYPE_CHECKING:
    from pyd_core.buildkit.proto.control_pb2 import UsageRecord
    from pyd_core.daemon.engine import Engine

RECORD_FILTERS = ("id", "parent", "type", "description", "inuse", "shared", "private")
"""Filters that the solver applies to its records."""
PRUNE_FILTERS = {"until", "unused-for", "label", "label!", *RECORD_FILTERS}


@route("POST", "/build/prune")
async def prune(engine: Engine, request: HttpRequest) -> Response:
    """Remove records of the build cache."""
    filters = request.filters()
    unknown = set(filters) - PRUNE_FILTERS
    if unknown:
        raise InvalidInput(f"failed to prune build cache: invalid filter '{min(unknown)[:40]}'")
    oldest_ns = until(filters.get("until") or filters.get("unused-for") or [])
    deleted: list[str] = []
    reclaimed = 0
    if engine.has_build_cache:
        from pyd_core.daemon.build.interfaces import PruneOptions  # noqa: PLC0415 - with the solver only

        options = PruneOptions(
            filters=tuple(_terms(filters)),
            all=request.flag("all"),
            keep_duration_ns=max(0, time.time_ns() - oldest_ns) if oldest_ns is not None else 0,
            reserved_bytes=request.number("reserved-space") or request.number("keep-storage") or 0,
            max_used_bytes=request.number("max-used-space") or 0,
            min_free_bytes=request.number("min-free-space") or 0,
        )
        async for record in engine.build_solver.prune(options):
            deleted.append(record.ID)
            reclaimed += record.Size
    engine.events.emit("builder", "prune", "", {"reclaimed": str(reclaimed)})
    return json({"CachesDeleted": deleted or None, "SpaceReclaimed": reclaimed})


def _terms(filters: dict[str, list[str]]) -> list[str]:
    """Return filters as BuildKit writes them."""
    terms: list[str] = []
    for name in RECORD_FILTERS:
        values = filters.get(name, [])
        if len(values) > 1:
            raise InvalidInput(f"filters expect only one value: {name}")
        if values:
            terms.append(f"{name}{'~=' if name == 'id' else '=='}{values[0]}" if values[0] else name)
    return terms


async def cache_records(engine: Engine) -> list[BuildCache]:
    """List the records of the build cache."""
    if not engine.has_build_cache:
        return []
    return [_described(record) for record in await engine.build_solver.disk_usage()]


def _described(record: UsageRecord) -> BuildCache:
    return BuildCache(
        id=record.ID,
        parents=list(record.Parents) or None,
        type=record.RecordType,
        description=record.Description,
        in_use=record.InUse,
        shared=record.Shared,
        size=record.Size,
        created_at=format_time(record.CreatedAt.ToNanoseconds()),
        last_used_at=format_time(record.LastUsedAt.ToNanoseconds()) if record.HasField("LastUsedAt") else None,
        usage_count=record.UsageCount,
    )
