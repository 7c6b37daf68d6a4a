from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pyd_core.errors import ConfigError, NotFound
from pyd_core.triage.verdict import Verdict
from pyd_core.watch.history_path import default_path, path_unless_off
from pyd_core.watch.history_store import COARSE_STEP_S, FINE_AGE_S, Death, HistoryReader, HistoryStore, Point
from pyd_core.watch.restart_loops import describe_loop

NOW = 1_800_000_000
SECOND = 10**9


def death(name: str, at_s: float, *, cause: str = "app-error", lived: float = 3, lines: tuple[str, ...] = ()) -> Death:
    ended = int((NOW + at_s) * SECOND)
    severity = "fine" if cause in {"stopped", "clean-exit"} else "broken"
    verdict = Verdict(name=name, cause=cause, confidence=0.9, summary=f"{name} ended", severity=severity)
    return Death(
        name=name,
        container=hashlib.sha256(name.encode()).hexdigest(),
        started_ns=ended - int(lived * SECOND),
        ended_ns=ended,
        code=1,
        verdict=verdict,
        lines=lines,
    )


def deaths(path: Path, name: str | None = None, *, limit: int = 50, since_ns: int = 0) -> list[Death]:
    reader = HistoryReader(path)
    try:
        return reader.deaths(name, limit=limit, since_ns=since_ns)
    finally:
        reader.close()


def curve(path: Path, *, since: int, until: int) -> list[Point]:
    reader = HistoryReader(path)
    try:
        return reader.points("c", since=since, until=until)
    finally:
        reader.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state/history.db"


def test_deaths_come_back_newest_first_by_name_and_by_id(path: Path) -> None:
    store = HistoryStore(path)
    store.add([death("web", 1, lines=("a", "\x1b[2J")), death("db", 2), death("web", 3)])
    assert [d.ended_ns // SECOND - NOW for d in deaths(path, "web")] == [3, 1]
    assert [d.name for d in deaths(path, limit=2)] == ["web", "db"]
    assert deaths(path, "web")[1].lines == ("a", "\x1b[2J")
    assert deaths(path, death("db", 2).container[:12])[0].name == "db"
    assert [d.name for d in deaths(path, since_ns=(NOW + 2) * SECOND)] == ["web"]
    store.close()


def test_a_name_with_wildcards_is_only_itself(path: Path) -> None:
    store = HistoryStore(path)
    store.add([death("web", 1)])
    assert deaths(path, "%") == []
    assert deaths(path, "we_") == []
    store.close()


def test_the_same_death_told_twice_is_one(path: Path) -> None:
    store = HistoryStore(path)
    store.add([death("web", 1)])
    store.add([death("web", 1)])
    assert len(deaths(path)) == 1
    store.close()


def test_only_its_owner_may_read_it(path: Path) -> None:
    HistoryStore(path).close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_points_are_thinned_after_a_quarter_of_an_hour(path: Path) -> None:
    store = HistoryStore(path)
    store.add(points=[Point(NOW - FINE_AGE_S - 60 + second, "c", 10, 1000) for second in range(120)])
    store.thin(NOW)
    old = curve(path, since=NOW - FINE_AGE_S - 60, until=NOW - FINE_AGE_S)
    new = curve(path, since=NOW - FINE_AGE_S + 1, until=NOW)
    assert [point.time % COARSE_STEP_S for point in old] == [0] * len(old)
    assert len(new) == 59
    store.close()


def test_what_is_too_old_goes(path: Path) -> None:
    store = HistoryStore(path, max_age_s=100)
    store.add([death("old", -200), death("new", -50)], [Point(NOW - 200, "c", 1, 1)])
    store.thin(NOW)
    assert [d.name for d in deaths(path)] == ["new"]
    assert curve(path, since=0, until=NOW) == []
    store.close()


def test_the_file_stays_within_its_bound_and_keeps_the_newest(path: Path) -> None:
    most = 2 * 2**20
    store = HistoryStore(path, max_bytes=most)
    noise = tuple(os.urandom(60).hex() for _ in range(100))
    for batch in range(80):
        store.add([death(f"c{batch}", batch * 10 + n, lines=noise) for n in range(5)])
        store.thin(NOW + 10_000)
    taken = sum(file.stat().st_size for file in path.parent.iterdir())
    assert taken <= most
    names = {d.name for d in deaths(path, limit=1000)}
    assert "c79" in names
    assert "c0" not in names
    store.close()


def test_a_damaged_file_is_moved_aside_and_a_fresh_one_begun(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database" * 1000)
    store = HistoryStore(path)
    assert store.damaged_path is not None
    assert store.damaged_path.read_bytes().startswith(b"this is no")
    store.add([death("web", 1)])
    assert len(deaths(path)) == 1
    store.close()


def test_a_file_with_a_damaged_page_is_moved_aside(path: Path) -> None:
    store = HistoryStore(path)
    store.add([death(f"c{n}", n, lines=(os.urandom(2000).hex(),)) for n in range(50)])
    store.close()
    data = bytearray(path.read_bytes())
    data[4096 : len(data)] = os.urandom(len(data) - 4096)
    path.write_bytes(data)
    again = HistoryStore(path)
    assert again.damaged_path is not None
    again.close()


def test_one_record_that_cannot_be_read_does_not_hide_the_others(path: Path) -> None:
    store = HistoryStore(path)
    store.add([death("a", 1), death("b", 2)])
    store.close()
    with sqlite3.connect(path) as base:
        base.execute("UPDATE death SET body = x'00' WHERE name = 'a'")
    base.close()
    again = HistoryStore(path)
    assert [d.name for d in deaths(path)] == ["b"]
    again.close()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError):
        HistoryStore(tmp_path / "file/history.db")


def test_no_history_is_told_from_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        HistoryReader(tmp_path / "none.db")
    assert caught.value.reference == "no-history"


def test_what_was_written_survives_a_kill_of_the_writer(path: Path) -> None:
    script = f"""
import os, signal
from pathlib import Path
from pyd_core.watch.history_store import Death, HistoryStore
from pyd_core.triage.verdict import Verdict
store = HistoryStore(Path({str(path)!r}))
verdict = Verdict(name="web", cause="app-error", confidence=1, summary="x")
store.add([Death(name="web", container="c", ended_ns=1, verdict=verdict)])
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    store = HistoryStore(path)
    assert store.damaged_path is None
    assert [d.name for d in deaths(path)] == ["web"]
    store.close()


def test_where_it_lies_follows_the_environment() -> None:
    assert default_path({"PYD_HISTORY": "/x/h.db"}) == Path("/x/h.db")
    assert path_unless_off({"PYD_HISTORY": "off"}) is None
    assert path_unless_off({"PYD_HISTORY": "/x/h.db"}) == Path("/x/h.db")
    usual = default_path({"HOME": "/home/a", "XDG_STATE_HOME": "/s"})
    assert usual in {Path("/var/lib/pyd/history.db"), Path("/s/pyd/history.db")}


def test_a_loop_is_told_in_words() -> None:
    loop = [death("web", -n * 85) for n in range(7)]
    assert describe_loop(loop) == "7 deaths in 8 min, each about 3.0 s after its start"


def test_few_or_far_deaths_and_stops_are_no_loop() -> None:
    assert describe_loop([]) == ""
    assert describe_loop([death("web", 0), death("web", -10)]) == ""
    assert describe_loop([death("web", -n * 1000) for n in range(5)]) == ""
    assert describe_loop([death("web", -n, cause="stopped") for n in range(5)]) == ""


def test_a_reader_leaves_a_damaged_file_to_the_recorder(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database" * 1000)
    reader = HistoryReader(path)
    with pytest.raises(ConfigError):
        reader.deaths()
    reader.close()
    assert [file.name for file in path.parent.iterdir()] == ["history.db"]
