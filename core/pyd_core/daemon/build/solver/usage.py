"""Use of the disk by the build cache, and its reduction: by filter, age, size and free space."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp

from pyd_core.buildkit.proto import control_pb2
from pyd_core.daemon import rmtree
from pyd_core.daemon.build.interfaces import PruneOptions
from pyd_core.daemon.build.solver.local_trees import used_bytes
from pyd_core.daemon.build.solver.records import ResultRecord
from pyd_core.daemon.build.solver.usage_filters import UsageFilter
from pyd_core.linux.tree import tree_size

if TYPE_CHECKING:
    from pyd_core.daemon.build.solver.solver import BuildSolver

LOCAL_KIND, MOUNT_KIND, REGULAR_KIND = "source.local", "exec.cachemount", "regular"
MAX_CACHE_SHARE = 10
"""The cache may have a tenth of the disk, as in Docker Engine."""
MIN_CACHE_BYTES = 2 << 30
MAX_CONTENT_DIGESTS = 10_000
"""Digests of content that are remembered; beyond it all are forgotten, and read again when they are needed."""
MIN_FREE_SHARE = 20
"""A twentieth of the disk stays free where removing from the cache can do that."""


def _timestamp(time_ns: int) -> Timestamp:
    stamp = Timestamp()
    stamp.FromNanoseconds(time_ns)
    return stamp


class CacheUsage:
    """Lists and removes the records of the cache."""

    def __init__(self, solver: BuildSolver, root: Path) -> None:
        self._solver = solver
        self._root = root
        self._lock = asyncio.Lock()

    async def records(self, filters: Sequence[str] = ()) -> list[control_pb2.UsageRecord]:
        """List the records: layers, clients' directories, cache mounts."""
        chosen = UsageFilter(filters)
        records = [*self._layers(), *await self._directories()]
        return [record for record in records if chosen.matches(record)]

    def _layers(self) -> list[control_pb2.UsageRecord]:
        solver = self._solver
        in_images = solver.images.image_layers()
        results: dict[str, ResultRecord] = {}
        uses: Counter[str] = Counter()
        parents: dict[str, str] = {}
        for result in solver.records:
            for output in result.outputs:
                for below, layer in zip(["", *output], output, strict=False):
                    parents.setdefault(layer, below)
                if output:
                    uses[output[-1]] += result.uses
                    known = results.get(output[-1])
                    if known is None or known.used_ns < result.used_ns:
                        results[output[-1]] = result
        listed: list[control_pb2.UsageRecord] = []
        for layer, parent in parents.items():
            is_shared = (solver.snapshots.diff_id(layer) or layer) in in_images
            result_ = results.get(layer)
            if layer.startswith("sha256:") and is_shared:
                continue  # a layer of an image that exists on its own
            record = control_pb2.UsageRecord(
                ID=layer.removeprefix("snap-").removeprefix("sha256:"),
                InUse=solver.snapshots.is_held(layer),
                Size=solver.snapshots.size(layer),
                Parent=parent.removeprefix("snap-").removeprefix("sha256:"),
                UsageCount=uses[layer],
                Description=result_.name if result_ is not None else "",
                RecordType=REGULAR_KIND,
                Shared=is_shared,
            )
            if parent:
                record.Parents.append(record.Parent)
            if result_ is not None:
                record.CreatedAt.CopyFrom(_timestamp(result_.created_ns))
                record.LastUsedAt.CopyFrom(_timestamp(result_.used_ns))
            listed.append(record)
        return listed

    async def _directories(self) -> list[control_pb2.UsageRecord]:
        listed: list[control_pb2.UsageRecord] = []
        for tree in self._solver.trees:
            used = _timestamp(_mtime_ns(tree.directory))
            listed.append(
                control_pb2.UsageRecord(
                    ID=tree.directory.name,
                    Mutable=True,
                    InUse=tree.holders > 0,
                    Size=await asyncio.to_thread(used_bytes, tree),
                    CreatedAt=used,
                    LastUsedAt=used,
                    Description="local source",
                    RecordType=LOCAL_KIND,
                )
            )
        for cache in self._solver.caches:
            used = _timestamp(cache.used_ns)
            listed.append(
                control_pb2.UsageRecord(
                    ID=cache.directory.name,
                    Mutable=True,
                    InUse=cache.users > 0,
                    Size=await asyncio.to_thread(tree_size, cache.upper),
                    CreatedAt=used,
                    LastUsedAt=used,
                    Description=f"cached mount {cache.name}",
                    RecordType=MOUNT_KIND,
                )
            )
        return listed

    async def prune(self, options: PruneOptions) -> AsyncIterator[control_pb2.UsageRecord]:
        """Remove records, those first that weren't used for longest, and yield each."""
        async with self._lock:
            chosen = UsageFilter(options.filters)
            records = sorted(await self.records(), key=lambda record: record.LastUsedAt.ToNanoseconds())
            surplus = self._surplus(options, sum(record.Size for record in records))
            oldest_kept = time.time_ns() - options.keep_duration_ns
            doomed: list[control_pb2.UsageRecord] = []
            for record in records:
                if surplus is not None and surplus <= 0:
                    break
                is_recent = options.keep_duration_ns and record.LastUsedAt.ToNanoseconds() > oldest_kept
                if record.InUse or is_recent or (record.Shared and not options.all) or not chosen.matches(record):
                    continue
                doomed.append(record)
                if surplus is not None:
                    surplus -= record.Size
            removed = await self._remove(doomed)
        for record in removed:
            yield record

    def _surplus(self, options: PruneOptions, total: int) -> int | None:
        """Return how many bytes have to go; None where sizes don't matter."""
        if not (options.reserved_bytes or options.max_used_bytes or options.min_free_bytes):
            return None
        surplus = 0
        if options.max_used_bytes:
            surplus = total - options.max_used_bytes
        if options.min_free_bytes:
            surplus = max(surplus, options.min_free_bytes - shutil.disk_usage(self._root).free)
        if options.reserved_bytes:
            above = total - options.reserved_bytes
            is_bounded = options.max_used_bytes or options.min_free_bytes
            surplus = min(surplus, above) if is_bounded else above
        return surplus

    async def _remove(self, doomed: Sequence[control_pb2.UsageRecord]) -> list[control_pb2.UsageRecord]:
        solver = self._solver
        ids = {record.ID for record in doomed}
        discarded = [
            *(solver.trees.discard(tree) for tree in solver.trees if tree.directory.name in ids),
            *(solver.caches.discard(cache) for cache in solver.caches if cache.directory.name in ids),
        ]
        paths = [path for path in discarded if path is not None]
        keys = [
            result.key
            for result in solver.records
            for output in result.outputs
            if any(layer.removeprefix("snap-").removeprefix("sha256:") in ids for layer in output)
        ]
        before = {record.ID: record for record in self._layers()}
        solver.records.remove(list(dict.fromkeys(keys)))
        solver.records.forget_contents(MAX_CONTENT_DIGESTS)
        paths += solver.snapshots.delete_unreferenced()
        await rmtree.remove(paths)
        await solver.images.sweep()
        left = {record.ID for record in self._layers()}
        gone = [record for key, record in before.items() if key not in left]
        return [*gone, *(record for record in doomed if record.Mutable)]

    async def collect(self) -> None:
        """Bring the cache back into its bounds, after a build."""
        total = shutil.disk_usage(self._root).total
        options = PruneOptions(
            all=True,
            max_used_bytes=max(MIN_CACHE_BYTES, total // MAX_CACHE_SHARE),
            min_free_bytes=total // MIN_FREE_SHARE,
        )
        async for _ in self.prune(options):
            pass
        surplus = [path for tree in self._solver.trees.surplus() if (path := self._solver.trees.discard(tree))]
        await rmtree.remove(surplus)


def _mtime_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return time.time_ns()
