"""The engine's database file: upgraded atomically, and foreign files are refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from pyd_core.daemon import store as module
from pyd_core.daemon.events import EventBus
from pyd_core.daemon.store import SCHEMA, Store, StoreTable
from pyd_core.daemon.volumes import VolumeStore
from pyd_core.errors import ConfigError

FIRST = "CREATE TABLE object (kind TEXT, id TEXT, body BLOB NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID"
"""The table of schema 1, as it was shipped; a later one must be able to read it for good."""


class Thing(msgspec.Struct):
    size: int


def first(path: Path, *rows: tuple[str, bytes]) -> Path:
    """Write a file as schema 1 has it."""
    with closing(sqlite3.connect(path)) as db:
        db.execute(FIRST)
        db.executemany("INSERT INTO object VALUES ('thing', ?, ?)", rows)
        db.execute("PRAGMA user_version=1")
        db.commit()
    return path


def things(path: Path) -> dict[str, int]:
    with closing(Store(path)) as store:
        return {key: thing.size for key, thing in store.all("thing", Thing).items()}


def test_a_file_of_the_first_schema_is_read(tmp_path: Path):
    assert things(first(tmp_path / "db", ("a", b'{"size": 1}'), ("b", b'{"size": 2}'))) == {"a": 1, "b": 2}


def test_an_empty_file_becomes_a_store_of_this_schema(tmp_path: Path):
    path = tmp_path / "db"
    with closing(Store(path)) as store:
        StoreTable(store, "thing", Thing).put("a", Thing(7))
    assert things(path) == {"a": 7}
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA,)


def coming(monkeypatch: pytest.MonkeyPatch, *steps: str) -> None:
    """Has the store know schemas that are yet to come."""
    upgrades = {**module._UPGRADES, **{SCHEMA + number: step for number, step in enumerate(steps)}}
    monkeypatch.setattr(module, "_UPGRADES", upgrades)
    monkeypatch.setattr(module, "SCHEMA", SCHEMA + len(steps))


def test_an_older_file_is_brought_up_to_date_step_by_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = first(tmp_path / "db", ("a", b'{"size": 1}'))
    coming(
        monkeypatch,
        "ALTER TABLE object ADD COLUMN note TEXT DEFAULT 'none'",
        "UPDATE object SET body = json_set(body, '$.size', 5)",
    )
    with closing(Store(path)) as store:
        assert store.all("thing", Thing)["a"].size == 5
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA + 2,)
        assert db.execute("SELECT note FROM object").fetchall() == [("none",)]


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = first(tmp_path / "db", ("a", b'{"size": 1}'))
    with monkeypatch.context() as patch:
        coming(patch, "UPDATE object SET id = 'other'", "INSERT INTO object VALUES ('thing', 'x', NULL)")
        with pytest.raises(sqlite3.IntegrityError):
            Store(path)
    assert things(path) == {"a": 1}


def test_a_newer_file_is_refused_and_left_unchanged(tmp_path: Path):
    path = first(tmp_path / "db", ("a", b'{"size": 1}'))
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version={SCHEMA + 1}")
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=f"newer pyd .schema {SCHEMA + 1}") as caught:
        Store(path)
    assert "update pyd" in caught.value.hint
    assert path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["db"]


@pytest.mark.parametrize("damage", ["no database", "torn page", "broken row"])
def test_a_damaged_file_is_reported_and_left_unchanged(tmp_path: Path, damage: str):
    path = tmp_path / "db"
    if damage == "no database":
        path.write_bytes(b"something else" * 1000)
    elif damage == "torn page":
        first(path, *((str(number), b'{"size": 1}') for number in range(2000)))
        whole = path.read_bytes()
        path.write_bytes(whole[:8192] + b"\xff" * 4096 + whole[12288:])
    else:
        first(path, ("a", b'{"size": "large"}'))
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="damaged") as caught:
        things(path)
    assert "volumes stay" in caught.value.hint
    assert path.stat().st_size == len(before)


def test_a_directory_without_a_row_is_swept_when_empty_and_a_volume_when_not(tmp_path: Path):
    root = tmp_path / "volumes"
    for name in ("empty", "full"):
        (root / name / "_data").mkdir(parents=True)
    (root / "half").mkdir()
    (root / "full/_data/file").write_text("precious")
    with closing(Store(tmp_path / "db")) as store:
        volumes = VolumeStore(root, store, EventBus(), users=lambda _: [])
        assert [volume.name for volume in volumes.all()] == ["full"]
    assert [path.name for path in root.iterdir()] == ["full"]
    assert (root / "full/_data/file").read_text() == "precious"
