"""The view of deaths."""

from __future__ import annotations

from pyd_core.client.endpoint import Endpoint
from pyd_core.triage.verdict import Verdict
from pyd_core.watch.history_store import Death
from pyd_tui.dashboard.render.figures import Clock
from pyd_tui.dashboard.render.layout import arrange
from pyd_tui.dashboard.resources.deaths import COLUMNS, fold_clean_exits, of_engine, row


def death(name: str, at_s: int, cause: str, severity: str) -> Death:
    verdict = Verdict(name=name, cause=cause, confidence=1, summary=f"{name} exited", severity=severity)
    return Death(name=name, container=f"id of {name}", ended_ns=at_s * 10**9, code=0, verdict=verdict)


def test_clean_exits_of_a_container_are_one_row_and_failures_keep_theirs():
    deaths = [
        death("job", 9, "clean-exit", "fine"),
        death("web", 8, "app-error", "broken"),
        death("job", 7, "clean-exit", "fine"),
        death("web", 6, "app-error", "broken"),
        death("job", 5, "clean-exit", "fine"),
    ]
    folded = fold_clean_exits(deaths)
    assert [(item.name, item.ended_ns // 10**9, count) for item, count in folded] == [
        ("job", 9, 3),
        ("web", 8, 1),
        ("web", 6, 1),
    ]
    text = "".join(piece.text for piece in row(*folded[0][:1], Clock(), folded[0][1]).cells[-1])
    assert text == "exited, and 2 earlier exits without an error"


def test_the_steps_name_the_engine_of_the_death():
    verdict = Verdict(
        name="web",
        cause="app-error",
        confidence=1,
        summary="web exited",
        severity="broken",
        advice=("pyd logs web", "free some memory"),
    )
    default = Endpoint(url="unix:///var/run/docker.sock", origin="default socket")
    there = Endpoint(url="unix:///srv/b.sock", origin="--host")

    def advice(engine: str, current: Endpoint | None) -> str:
        death = Death(name="web", container="id", engine=engine, ended_ns=1, code=1, verdict=verdict)
        assert of_engine(death, current).advice[1] == "free some memory"
        return of_engine(death, current).advice[0]

    assert advice(default.url, default) == "pyd logs web"
    assert advice(there.url, there) == "pyd -H unix:///srv/b.sock logs web"
    assert advice(there.url, default) == "pyd -H unix:///srv/b.sock logs web"
    assert advice(default.url, None) == "pyd -H unix:///var/run/docker.sock logs web"
    assert advice("", default) == "pyd logs web"
    assert advice("gopher://x y", default) == "pyd logs web"


def test_the_summary_of_a_death_is_shown_in_75_columns():
    widths = {"died": 15, "name": 20, "code": 3, "lived": 4, "peak": 4, "cause": 14, "summary": 60}
    placed = {column.column.key: column.width for column in arrange(COLUMNS, 75, widths)}
    assert placed["summary"] == 14
    assert placed["name"] == 20
