"""The engine's records: an SQLite file with a row for each object.

A row is written before the steps it announces and again when they are done, so its own `phase` is the journal: an
object that is incomplete at a start is removed or completed. The write-ahead log with `synchronous=NORMAL` keeps
every committed row after a crash of this process; a power failure may lose the last ones, never part of one. Rows that
must not be lost, because files are removed or used next, are written with `transaction(durable=True)`.

Some space is reserved next to the file and freed when the disk is full, because the end and removal of a container
must be recorded then too. Until it can be reserved again nothing new is created.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from pyd_core.errors import ConfigError

T = TypeVar("T", bound=msgspec.Struct)

RESERVE = 1 << 20
"""A thousand times the size of a container's row."""
SCHEMA = 1
"""The version of the file's schema; `_UPGRADES[n]` turns version n into n + 1."""

_UPGRADES: dict[int, str] = {
    0: "CREATE TABLE object (kind TEXT, id TEXT, body BLOB NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID",
}


class Store:
    """The database file; rows are JSON of msgspec structs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reserve = path.with_name("reserve")
        path.touch(mode=0o600)
        path.chmod(0o600)  # it holds containers' environments; SQLite's other files get the same mode
        self._db = sqlite3.connect(path, isolation_level=None)
        try:
            with self._raise_if_corrupt():
                self._open()
        except BaseException:
            self._db.close()
            raise
        with contextlib.suppress(OSError):
            self.ensure_disk_space()

    def _open(self) -> None:
        schema: int = self._db.execute("PRAGMA user_version").fetchone()[0]
        if schema > SCHEMA:
            raise ConfigError(
                f"{self._path} was written by a newer pyd (schema {schema}, this one knows {SCHEMA})",
                hint="update pyd, or choose another --root",
            )
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        if schema < SCHEMA:
            with self.transaction(durable=True):
                for version in range(schema, SCHEMA):
                    self._db.execute(_UPGRADES[version])
                self._db.execute(f"PRAGMA user_version={SCHEMA}")

    @contextmanager
    def _raise_if_corrupt(self) -> Iterator[None]:
        """A damaged file is never replaced automatically: the objects of its rows would be swept."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
                raise
            raise self._damaged(str(error)) from error

    def _damaged(self, what: str) -> ConfigError:
        return ConfigError(
            f"{self._path} is damaged: {what}",
            hint=f"bring back a copy of it, or move {self._path}* away to start again: volumes stay, images and "
            "containers have to be made again",
            reference="damaged-store",
        )

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[None]:
        """Make several writes atomic.

        Args:
            durable: Whether to sync them, with all earlier writes, because files that a row refers to are removed next.
        """
        if self._db.in_transaction:
            yield
            return
        if durable:
            self._db.execute("PRAGMA synchronous=FULL")
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._write("COMMIT")
        finally:
            if durable:
                self._db.execute("PRAGMA synchronous=NORMAL")

    def ensure_disk_space(self) -> None:
        """Refuse to create objects on a full disk.

        Raises:
            OSError: ENOSPC.
        """
        if self._reserve.exists():
            return
        try:
            with self._reserve.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, RESERVE)
        except OSError:
            self._reserve.unlink(missing_ok=True)
            raise

    def _write(self, statement: str, values: tuple[object, ...] = ()) -> None:
        try:
            self._db.execute(statement, values)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                raise
            try:
                self._reserve.unlink()
                self._db.execute(statement, values)
            except (FileNotFoundError, sqlite3.OperationalError):
                raise OSError(errno.ENOSPC, "no space left on device", str(self._reserve.parent)) from error

    def put(self, kind: str, key: str, body: bytes) -> None:
        """Write a row.

        Raises:
            OSError: The disk is full (ENOSPC).
        """
        self._write("INSERT OR REPLACE INTO object VALUES (?, ?, ?)", (kind, key, body))

    def delete(self, kind: str, key: str) -> None:
        """Remove a row, if there is one."""
        self._write("DELETE FROM object WHERE kind = ? AND id = ?", (kind, key))

    def all(self, kind: str, shape: type[T]) -> dict[str, T]:
        """Return every row of a kind by its key.

        Raises:
            ConfigError: The file is damaged.
        """
        decoder = msgspec.json.Decoder(shape)
        rows: dict[str, T] = {}
        with self._raise_if_corrupt():
            for key, body in self._db.execute("SELECT id, body FROM object WHERE kind = ? ORDER BY id", (kind,)):
                try:
                    rows[key] = decoder.decode(body)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise self._damaged(f"{kind} {key}: {error}") from error
        return rows


class StoreTable(Generic[T]):
    """The rows of a kind, all held in memory and written through.

    Iteration has no particular order.
    """

    def __init__(self, store: Store, kind: str, shape: type[T]) -> None:
        self._store = store
        self._kind = kind
        self._rows = store.all(kind, shape)

    def __iter__(self) -> Iterator[T]:
        return iter(list(self._rows.values()))

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: str) -> bool:
        return key in self._rows

    def keys(self) -> list[str]:
        """Return the keys."""
        return list(self._rows)

    def get(self, key: str) -> T | None:
        """Return a row, or None."""
        return self._rows.get(key)

    def put(self, key: str, row: T) -> None:
        """Write a row; it is in the file when this returns."""
        self._store.put(self._kind, key, msgspec.json.encode(row))
        self._rows[key] = row

    def delete(self, key: str) -> None:
        """Remove a row, if there is one."""
        self._store.delete(self._kind, key)
        self._rows.pop(key, None)

    def forget(self, key: str) -> None:
        """Remove a row only from memory, where it can't be removed from the file."""
        self._rows.pop(key, None)
