"""Digests of content that are remembered: of results they never change."""

from __future__ import annotations

import hashlib

from pyd_core.daemon.build.solver.content import selection_digest
from pyd_core.daemon.build.solver.keys import CopySelection
from pyd_core.daemon.build.solver.records import CacheRecords, ContentRecord
from pyd_core.daemon.build.solver.results import Result
from pyd_core.daemon.build.solver.snapshots import SnapshotStore
from pyd_core.daemon.cancellable import on_thread


class ContentDigests:
    """The digests of what operations read of results."""

    def __init__(self, records: CacheRecords, snapshots: SnapshotStore) -> None:
        self._records = records
        self._snapshots = snapshots

    async def digest(self, result: Result, identity: str, selections: tuple[CopySelection, ...]) -> str:
        """Return the digest of selections of a result."""
        text = f"{result.layers if result.local is None else identity} {selections}"
        key = f"sha256:{hashlib.sha256(text.encode(errors='surrogateescape')).hexdigest()}"
        known = self._records.contents.get(key)
        if known is not None:
            return known.digest

        def work(check: object) -> str:
            with result.open(self._snapshots) as root:
                digests = result.local.digests if result.local is not None else None
                parts = [selection_digest(root, selection, known=digests, check=check) for selection in selections]  # type: ignore[arg-type]
            return f"content:{hashlib.sha256(' '.join(parts).encode()).hexdigest()}"

        digest = await on_thread(work)
        if result.local is None:
            self._records.contents.put(key, ContentRecord(key=key, digest=digest))
        return digest
