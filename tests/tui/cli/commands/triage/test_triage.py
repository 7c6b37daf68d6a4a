"""What `pyd triage` takes from the history when the engine has forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyd_core.model.base import format_time
from pyd_core.triage.evidence import UnavailableSource
from pyd_core.triage.verdict import Verdict
from pyd_core.watch.history_store import Death, HistoryStore
from pyd_tui.cli.commands.triage.triage import _more_confident
from pyd_tui.text.curve import curve

ENDED = 1_800_000_000_000_000_000
ID = "ab" * 32
LOST = (UnavailableSource(source="events", reason="forgotten", would_tell="signals"),)


def verdict(
    cause: str, confidence: float, *, ended_ns: int = ENDED, unread: tuple[UnavailableSource, ...] = ()
) -> Verdict:
    return Verdict(
        name="web", id=ID, cause=cause, confidence=confidence, summary="x", ended=format_time(ended_ns), unread=unread
    )


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "history.db"
    store = HistoryStore(path)
    store.add([Death(name="web", container=ID, ended_ns=ENDED, verdict=verdict("stop-timeout", 0.97))])
    store.close()
    monkeypatch.setenv("PYD_HISTORY", str(path))


def test_a_recorded_verdict_on_the_same_death_wins_where_events_are_lost(recorded: None) -> None:
    assert _more_confident(verdict("killed-externally", 0.34, unread=LOST)).cause == "stop-timeout"
    near = verdict("killed-externally", 0.34, ended_ns=ENDED + 10**9, unread=LOST)
    assert _more_confident(near).cause == "stop-timeout"


def test_another_death_of_the_same_container_is_ignored(recorded: None) -> None:
    later = verdict("killed-externally", 0.34, ended_ns=ENDED + 60 * 10**9, unread=LOST)
    assert _more_confident(later).cause == "killed-externally"


def test_a_verdict_from_full_evidence_needs_no_record(recorded: None) -> None:
    assert _more_confident(verdict("oom-killed", 0.9)).cause == "oom-killed"
    assert _more_confident(verdict("oom-killed", 0.98, unread=LOST)).cause == "oom-killed"


def test_without_a_history_the_verdict_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYD_HISTORY", str(tmp_path / "none.db"))
    assert _more_confident(verdict("killed-externally", 0.34, unread=LOST)).cause == "killed-externally"


def test_a_curve_is_as_wide_as_its_values_up_to_a_bound() -> None:
    assert curve([]) == ""
    assert curve([0, 0]) == "▁▁"
    assert curve([1, 4, 8]) == "▂▅█"
    assert len(curve(list(range(900)))) == 60
