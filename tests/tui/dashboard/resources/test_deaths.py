"""The view of deaths."""

from __future__ import annotations

from pyd_core.triage.verdict import Verdict
from pyd_core.watch.history_store import Death
from pyd_tui.dashboard.render.figures import Clock
from pyd_tui.dashboard.resources.deaths import fold_clean_exits, row


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
