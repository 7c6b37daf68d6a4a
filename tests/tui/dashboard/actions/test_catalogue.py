from __future__ import annotations

import pytest

from pyd_core.watch.container_info import ContainerInfo
from pyd_tui.dashboard.actions.catalogue import ACTIONS, question


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["exited"], ""),
        (["running"], " It is running, and will be killed."),
        (["paused"], " It is paused, and will be killed."),
        (["running", "running"], " All are running, and will be killed."),
        (["running", "exited"], " 1 is running, and will be killed."),
        (["running", "running", "created"], " 2 are running; they will be killed."),
        (["paused", "running", "running"], " 2 are running and 1 is paused; they will be killed."),
    ],
)
def test_the_question_before_a_removal_counts_the_containers_that_it_kills_by_state(states: list[str], expected: str):
    entries = [ContainerInfo(id=str(number), name="web", state=state) for number, state in enumerate(states)]
    many = "web" if len(states) == 1 else f"{len(states)} containers"
    assert question(ACTIONS["remove"], entries, "web") == f"Remove {many}?{expected}"
