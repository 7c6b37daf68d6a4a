"""History of deaths and usage curves: a ring in SQLite, bounded by size and age, that outlives containers.

Writes are batched for at most a second and use write-ahead mode, so committed data survives SIGKILL of the writer.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from pyd_core.errors import ConfigError, NotFound
from pyd_core.triage.verdict import Verdict

MAX_BYTES = 64 * 2**20
MAX_AGE_S = 30 * 86_400
"""Seconds."""
FINE_AGE_S = 15 * 60
"""Up to this age one point per second is kept."""
COARSE_STEP_S = 10
"""Distance of older points."""
_MAX_JOURNAL_BYTES = 4 * 2**20
"""Bytes set aside for the write-ahead log, at most a quarter of all."""
_PAGE_BYTES = 4096

_SCHEMA = """
CREATE TABLE IF NOT EXISTS death (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, container TEXT NOT NULL, ended_ns INTEGER NOT NULL, body BLOB NOT NULL,
    UNIQUE (container, ended_ns)
);
CREATE INDEX IF NOT EXISTS death_by_name ON death (name, ended_ns);
CREATE TABLE IF NOT EXISTS listened (engine TEXT PRIMARY KEY, until_ns INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS who (id INTEGER PRIMARY KEY, container TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS point (
    time INTEGER NOT NULL, who INTEGER NOT NULL, cpu INTEGER, memory INTEGER, PRIMARY KEY (time, who)
) WITHOUT ROWID;
"""


class Death(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a container's run."""

    name: str
    container: str
    """Its id."""
    image: str = ""
    engine: str = ""
    """The engine's address."""
    started_ns: int | None = None
    ended_ns: int
    code: int | None = None
    memory_peak: int | None = None
    """Bytes."""
    verdict: Verdict
    lines: tuple[str, ...] = ()
    """Its last lines of output, oldest first."""

    @property
    def seconds(self) -> float | None:
        """The duration of the run; None if it isn't known."""
        return None if self.started_ns is None else max(0.0, (self.ended_ns - self.started_ns) / 1e9)


class Point(msgspec.Struct, frozen=True):
    """A container's resource use in a second."""

    time: int
    """Seconds since the epoch."""
    container: str
    cpu: int | None
    """Per mille of one processor."""
    memory: int | None
    """KiB."""


class HistoryStore:
    """The history on disk.

    Args:
        path: The file, created with its directory and readable only by its owner, because output may hold secrets.
        max_bytes: Maximum size of file and journal together.
        max_age_s: Maximum age of the data.

    Attributes:
        damaged_path: The new path of a damaged file that was moved aside, if there was one.

    Raises:
        ConfigError: The file can't be made or written.
    """

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES, max_age_s: int = MAX_AGE_S) -> None:
        self.path = path
        self.damaged_path: Path | None = None
        self._numbers: dict[str, int] = {}
        self._journal = min(_MAX_JOURNAL_BYTES, max_bytes // 4)
        # SQLite empties the journal only between transactions, so for a while it can be twice that.
        self._max_pages = max(64, (max_bytes - 2 * self._journal) // _PAGE_BYTES)
        self._max_age_s = max_age_s
        try:
            self._database = self._open_or_replace()
        except sqlite3.DatabaseError as error:
            raise ConfigError(f"can't use the history {path}: {error}", hint="is its disk full?") from error
        except OSError as error:
            raise ConfigError(f"can't make the history {path}: {error.strerror}") from error

    def _open_or_replace(self) -> sqlite3.Connection:
        """Open the file; a damaged one is moved aside and replaced."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            return self._open()
        except sqlite3.DatabaseError as error:
            # An operational error is the disk's or a lock's; all else is what is in the file.
            if isinstance(error, sqlite3.OperationalError) and not _is_damaged(self.path):
                raise
        self.damaged_path = _move_aside(self.path)
        return self._open()

    def _open(self) -> sqlite3.Connection:
        if not self.path.exists():
            self.path.touch(mode=0o600)
        database = sqlite3.connect(self.path, timeout=10, isolation_level=None, check_same_thread=False)
        try:
            database.execute("PRAGMA auto_vacuum = INCREMENTAL")
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute(f"PRAGMA journal_size_limit = {self._journal}")
            database.execute(f"PRAGMA wal_autocheckpoint = {max(16, self._journal // _PAGE_BYTES // 2)}")
            database.execute("PRAGMA cache_size = -2048")
            database.execute(f"PRAGMA max_page_count = {self._max_pages}")
            if database.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("damaged")
            database.executescript(_SCHEMA)
        except sqlite3.Error:
            database.close()
            raise
        return database

    def close(self) -> None:
        """Close the file; nothing is pending."""
        self._database.close()

    def add(
        self,
        deaths: Iterable[Death] = (),
        points: Iterable[Point] = (),
        *,
        listened: tuple[str, int] | None = None,
    ) -> None:
        """Write deaths and points in one transaction; a death that is recorded already is kept.

        Args:
            deaths: Ends of containers.
            points: Their resource use.
            listened: An engine, and the time until which it was recorded without gaps.

        Raises:
            ConfigError: The disk is full, even after the oldest data was dropped.
        """
        rows = [(d.name, d.container, d.ended_ns, _pack(d)) for d in deaths]
        samples = [*points]
        for attempt in (1, 2):
            try:
                with self._transaction():
                    self._database.executemany(
                        "INSERT OR IGNORE INTO death (name, container, ended_ns, body) VALUES (?, ?, ?, ?)", rows
                    )
                    self._database.executemany(
                        "INSERT OR REPLACE INTO point VALUES (?, ?, ?, ?)",
                        [(p.time, self._container_number(p.container), p.cpu, p.memory) for p in samples],
                    )
                    if listened is not None:
                        self._database.execute("INSERT OR REPLACE INTO listened VALUES (?, ?)", listened)
            except sqlite3.DatabaseError as error:
                self._numbers.clear()  # some may have been rolled back
                if attempt == 2 or "full" not in str(error) or not self._free_space():
                    raise ConfigError(
                        f"can't write the history {self.path}: {error}", hint="free some disk space"
                    ) from error
            else:
                return

    def has_death(self, container: str, ended_ns: int, *, within_ns: int) -> bool:
        """Return whether a death of a container near that time is recorded."""
        query = "SELECT 1 FROM death WHERE container = ? AND ended_ns BETWEEN ? AND ?"
        return (
            self._database.execute(query, (container, ended_ns - within_ns, ended_ns + within_ns)).fetchone()
            is not None
        )

    def listened_until(self, engine: str) -> int | None:
        """Return the time until which an engine was recorded, nanoseconds since the epoch; None if it never was."""
        row = self._database.execute("SELECT until_ns FROM listened WHERE engine = ?", (engine,)).fetchone()
        return None if row is None else int(row[0])

    def _container_number(self, container: str) -> int:
        """Return the short number that represents a container's id in its points."""
        known = self._numbers.get(container)
        if known is None:
            self._database.execute("INSERT OR IGNORE INTO who (container) VALUES (?)", (container,))
            row = self._database.execute("SELECT id FROM who WHERE container = ?", (container,)).fetchone()
            known = self._numbers[container] = int(row[0])
        return known

    def thin(self, now: float | None = None) -> None:
        """Drop old data and thin out points; called about once a minute."""
        seconds = int(time.time() if now is None else now)
        fine = seconds - FINE_AGE_S
        with self._transaction():
            self._database.execute("DELETE FROM point WHERE time < ?", (seconds - self._max_age_s,))
            self._database.execute("DELETE FROM death WHERE ended_ns < ?", ((seconds - self._max_age_s) * 10**9,))
            self._database.execute(
                "DELETE FROM point WHERE time BETWEEN ? AND ? AND time % ? != 0", (fine - 3600, fine, COARSE_STEP_S)
            )
        if self._database.execute("PRAGMA page_count").fetchone()[0] > self._max_pages * 0.9:
            self._drop_oldest()

    def _free_space(self) -> bool:
        """Drop the oldest data, if the disk still allows it: that needs space too."""
        try:
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._drop_oldest()
        except sqlite3.Error:
            return False
        return True

    def _drop_oldest(self) -> None:
        """Drop the oldest tenth of the points and of the deaths."""
        with self._transaction():
            for table, key in (("point", "time"), ("death", "ended_ns")):
                low, high = self._database.execute(f"SELECT min({key}), max({key}) FROM {table}").fetchone()  # noqa: S608
                if low is not None:
                    self._database.execute(f"DELETE FROM {table} WHERE {key} <= ?", (low + (high - low) // 10,))  # noqa: S608
            self._database.execute("DELETE FROM who WHERE id NOT IN (SELECT DISTINCT who FROM point)")
            self._numbers.clear()
        self._database.execute("PRAGMA incremental_vacuum").fetchall()
        self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # a full disk has rolled it back already
                self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")


class HistoryReader:
    """Read-only access to a history that a recorder writes.

    Raises:
        NotFound: Nothing was ever recorded.
        ConfigError: The file can't be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            raise NotFound(
                "no history was recorded on this machine",
                hint="start the recorder: pyd record (or install it: pyd record --print-unit)",
                reference="no-history",
            )
        try:
            self._database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
        except sqlite3.Error as error:
            raise ConfigError(f"can't read the history {path}: {error}") from error

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def deaths(self, name: str | None = None, *, limit: int = 50, since_ns: int = 0) -> list[Death]:
        """Return deaths, newest first.

        Args:
            name: A container's name or id prefix; None is all.
            limit: Maximum number.
            since_ns: Return only deaths after that time.
        """
        query = "SELECT body FROM death WHERE ended_ns > :since ORDER BY ended_ns DESC LIMIT :limit"
        if name is not None:
            query = (
                "SELECT body FROM death WHERE ended_ns > :since"
                " AND (name = :name OR substr(container, 1, :long) = :name) ORDER BY ended_ns DESC LIMIT :limit"
            )
        values = {"since": since_ns, "limit": limit, "name": name, "long": len(name or "")}
        return [death for (body,) in self._rows(query, values) if (death := _unpack(body)) is not None]

    def points(self, container: str, *, since: int, until: int) -> list[Point]:
        """Return a container's points between two times (seconds since the epoch), oldest first."""
        query = (
            "SELECT time, container, cpu, memory FROM point JOIN who ON who.id = point.who"
            " WHERE time BETWEEN :since AND :until AND container = :container ORDER BY time"
        )
        return [Point(*row) for row in self._rows(query, {"since": since, "until": until, "container": container})]

    def _rows(self, query: str, values: Mapping[str, object]) -> list[Any]:
        try:
            return self._database.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise ConfigError(
                f"can't read the history {self.path}: {error}", hint="pyd record moves a damaged one aside"
            ) from error


def _pack(death: Death) -> bytes:
    return zlib.compress(msgspec.json.encode(death), 6)


def _unpack(body: bytes) -> Death | None:
    try:
        return msgspec.json.decode(zlib.decompress(body), type=Death)
    except (zlib.error, msgspec.DecodeError):
        return None  # written by another version, or damaged: the others are still good


def _is_damaged(path: Path) -> bool:
    try:
        head = path.read_bytes()[:16]
    except OSError:
        return False
    return bool(head) and head != b"SQLite format 3\0"


def _move_aside(path: Path) -> Path:
    aside = path.with_name(f"{path.name}.damaged-{int(time.time())}")
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return aside
