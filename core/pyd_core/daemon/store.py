"""What the engine remembers: one SQLite file, one row an object.

A row is written before the steps it announces and again when they are done, so its own `phase` is the journal: what is
found half made or half removed at start is undone or finished. The write-ahead log with `synchronous=NORMAL` keeps
every committed row over a crash of this process; a power cut may lose the last ones, never part of one. What must not
be lost, because files are removed or used next, is written with `transaction(durable=True)`.

Some space is held in reserve beside the file and given up when the disk is full: the end of a container and its removal
must be written down then too. Until it can be held again nothing new is made.
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
"""Bytes; a thousand times what a container's row takes."""
SCHEMA = 1
"""The version of what lies in the file; `_UPGRADES[n]` turns version n into n + 1."""

_UPGRADES: dict[int, str] = {
    0: "CREATE TABLE object (kind TEXT, id TEXT, body BLOB NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID",
}


class Store:
    """The database file; rows are JSON of msgspec structs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reserve = path.with_name("reserve")
        path.touch(mode=0o600)
        path.chmod(0o600)  # containers' environments are in it; the files SQLite adds are as this one
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
        found: int = self._db.execute("PRAGMA user_version").fetchone()[0]
        if found > SCHEMA:
            raise ConfigError(
                f"{self._path} was written by a newer pyd (schema {found}, this one knows {SCHEMA})",
                hint="update pyd, or choose another --root",
            )
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        if found < SCHEMA:
            with self.transaction(durable=True):
                for version in range(found, SCHEMA):
                    self._db.execute(_UPGRADES[version])
                self._db.execute(f"PRAGMA user_version={SCHEMA}")

    @contextmanager
    def _raise_if_corrupt(self) -> Iterator[None]:
        """Nothing is begun anew by itself: what the rows tell of would be swept."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
                raise
            raise self._damaged(str(error)) from error

    def _damaged(self, what: str) -> ConfigError:
        return ConfigError(
            f"{self._path} is damaged: {what}",
            hint=f"bring back a copy of it, or move {self._path}* away to begin anew: volumes stay, images and "
            "containers have to be made again",
            reference="damaged-store",
        )

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[None]:
        """Several writes that happen all or not at all.

        Args:
            durable: Have them on disk before going on, with all written earlier: what a row told of is removed next.
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
        """Refuses what would make something new on a full disk.

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
        """Writes a row.

        Raises:
            OSError: The disk is full (ENOSPC).
        """
        self._write("INSERT OR REPLACE INTO object VALUES (?, ?, ?)", (kind, key, body))

    def delete(self, kind: str, key: str) -> None:
        """Removes a row, if there."""
        self._write("DELETE FROM object WHERE kind = ? AND id = ?", (kind, key))

    def all(self, kind: str, shape: type[T]) -> dict[str, T]:
        """Returns every row of a kind by its key.

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
    """The rows of one kind, all held in memory and written through.

    Iterating gives them in no particular order.
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
        """Returns the keys."""
        return list(self._rows)

    def get(self, key: str) -> T | None:
        """Returns a row, or None."""
        return self._rows.get(key)

    def put(self, key: str, row: T) -> None:
        """Writes a row; it is on disk when this returns."""
        self._store.put(self._kind, key, msgspec.json.encode(row))
        self._rows[key] = row

    def delete(self, key: str) -> None:
        """Removes a row, if there."""
        self._store.delete(self._kind, key)
        self._rows.pop(key, None)

    def forget(self, key: str) -> None:
        """Removes a row from memory alone, where it can't be removed from the file."""
        self._rows.pop(key, None)
