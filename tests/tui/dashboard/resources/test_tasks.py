from __future__ import annotations

import pytest

from pyd_core.model.task import Task, TaskStatus
from pyd_tui.dashboard.render.figures import Clock
from pyd_tui.dashboard.resources.swarm import error_text, since_text

NOW_NS = 1_796_080_000 * 10**9
ERRORS = {
    "task: non-zero exit (78)": "exit 78",
    "no suitable node": "no suitable node",
    "task: non-zero exit (78): unhealthy": "task: non-zero exit (78): unhealthy",
}


@pytest.mark.parametrize(("reported", "shown"), ERRORS.items())
def test_an_exit_code_is_named_in_short(reported: str, shown: str):
    assert error_text(Task(status=TaskStatus(err=reported))) == shown


@pytest.mark.parametrize(
    ("timestamp", "shown"),
    [
        ("2026-11-30T19:00:00Z", "4h"),
        ("2026-11-30T23:06:30Z", "<1m"),
        ("2026-11-20T19:00:00Z", "20 Nov"),
        ("2026-11-30T23:07:40Z", "<1m"),
        ("not a time", ""),
    ],
)
def test_a_state_of_the_first_day_has_an_age(timestamp: str, shown: str):
    assert since_text(Task(status=TaskStatus(timestamp=timestamp)), Clock(now=lambda: NOW_NS)) == shown
