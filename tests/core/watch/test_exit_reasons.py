from __future__ import annotations

from pathlib import Path

from pyd_core.humanize import docker_duration
from pyd_core.model.container import ContainerSummary
from pyd_core.triage.verdict import Verdict
from pyd_core.watch.exit_reasons import recorded_reasons
from pyd_core.watch.history_store import Death, HistoryStore

NOW = 1_800_000_000.0


def listed(identity: str, code: int, ago: float) -> ContainerSummary:
    return ContainerSummary(
        id=identity, names=["/a"], state="exited", status=f"Exited ({code}) {docker_duration(ago)} ago"
    )


def test_a_recorded_cause_counts_only_for_the_end_it_is_about(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path / "history.db")
    verdict = Verdict(name="a", cause="oom-killed", confidence=0.9, summary="x")
    store.add(
        [
            Death(name=name, container=name, ended_ns=int((NOW - age_s) * 1e9), code=137, verdict=verdict)
            for name, age_s in (("a", 300), ("a", 90_000), ("young", 10))
        ]
    )
    store.close()

    def reasons(*them: ContainerSummary) -> dict[str, str]:
        return recorded_reasons(tmp_path / "history.db", them, now=NOW)

    assert reasons(listed("a", 137, 301)) == {"a": "oom-killed"}
    for heard in range(7, 14):
        assert reasons(listed("young", 137, heard)) == {"young": "oom-killed"}, "clocks differ a little"
    assert reasons(listed("young", 137, 20)) == {}
    assert reasons(listed("a", 1, 301)) == {}, "another code"
    assert reasons(listed("a", 137, 30)) == {}, "a later end without a record"
    assert reasons(listed("b", 137, 301)) == {}
    assert recorded_reasons(tmp_path / "none.db", [listed("a", 137, 301)], now=NOW) == {}
    (tmp_path / "bad.db").write_bytes(b"nonsense" * 1000)
    assert recorded_reasons(tmp_path / "bad.db", [listed("a", 137, 301)], now=NOW) == {}
