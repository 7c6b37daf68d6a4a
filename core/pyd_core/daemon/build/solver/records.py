"""The records of the cache: which key has which result, and what layers there are."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from pyd_core.daemon.store import Store, StoreTable

LayerStack = tuple[str, ...]
"""Layers of a file system, the lowest first: a diff id (`sha256:…`) of an image's layer, or a snapshot's id."""

USE_INTERVAL_NS = 60 * 1_000_000_000
"""How old the recorded time of the last use may be, so that a cached build doesn't write each record."""


class ResultRecord(msgspec.Struct, kw_only=True):
    """The result of an operation.

    Attributes:
        key: How it is found.
        identity: What operations on top of it have in their keys. It differs from the key where the same result has
            several keys, or where an operation ran again although its result was known.
        outputs: The layers of each output.
        kind: As BuildKit's records have it: `regular`, `source.local`, `exec.cachemount`, `source.git.checkout`.
    """

    key: str
    identity: str
    outputs: list[list[str]]
    name: str = ""
    kind: str = "regular"
    created_ns: int = 0
    used_ns: int = 0
    uses: int = 0
    boot: str = ""
    """The boot of the machine in which it was made; empty once its files are known to be on the disk."""

    def stack(self, index: int) -> LayerStack:
        """Return the layers of an output."""
        return tuple(self.outputs[index])


class SnapshotRecord(msgspec.Struct, kw_only=True):
    """A layer that a build made."""

    id: str
    size: int = 0
    """Bytes of its files."""
    diff_id: str = ""
    """Of its packed form, once an exporter needed it."""
    name: str = ""
    kind: str = "regular"
    created_ns: int = 0


class ContentRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The digest of content that an operation read of a result."""

    key: str
    digest: str


class CacheRecords:
    """The cache's database."""

    def __init__(self, path: Path, *, boot: str) -> None:
        self._store = Store(path)
        self._boot = boot
        self.results = StoreTable(self._store, "result", ResultRecord)
        self.snapshots = StoreTable(self._store, "snapshot", SnapshotRecord)
        self.contents = StoreTable(self._store, "content", ContentRecord)
        for record in self.results:
            if record.boot not in {"", boot}:  # a power failure may have taken its files
                self.results.delete(record.key)

    def find(self, key: str) -> ResultRecord | None:
        """Return a result and record its use."""
        record = self.results.get(key)
        if record is not None:
            record.uses += 1
            now = time.time_ns()
            if now - record.used_ns > USE_INTERVAL_NS:
                record.used_ns = now
                self.results.put(key, record)
        return record

    def add(self, record: ResultRecord) -> None:
        """Record a new result under its key."""
        record.created_ns = record.used_ns = time.time_ns()
        record.boot = self._boot
        self.results.put(record.key, record)

    def link(self, key: str, record: ResultRecord) -> ResultRecord:
        """Record that another key has the same result."""
        other = msgspec.structs.replace(record, key=key)
        self.results.put(key, other)
        return other

    def mark_durable(self, records: Iterable[ResultRecord]) -> None:
        """Record that the files of results are on the disk."""
        with self._store.transaction():
            for record in records:
                if record.boot:
                    record.boot = ""
                    self.results.put(record.key, record)

    def referenced(self) -> set[str]:
        """Return the layers that results consist of."""
        return {layer for record in self.results for output in record.outputs for layer in output}

    def remove(self, keys: Sequence[str]) -> None:
        """Forget results."""
        with self._store.transaction(durable=True):
            for key in keys:
                self.results.delete(key)

    def forget_contents(self, limit: int) -> None:
        """Forget the digests of content if there are more than `limit`."""
        if len(self.contents) > limit:
            with self._store.transaction():
                for key in list(self.contents.keys()):
                    self.contents.delete(key)

    def __iter__(self) -> Iterator[ResultRecord]:
        return iter(self.results)

    def close(self) -> None:
        """Close the database."""
        self._store.close()
