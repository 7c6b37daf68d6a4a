from __future__ import annotations

import pytest

from support.dashboard import opened
from support.scenes import work


@pytest.mark.parametrize(
    ("verb", "question"),
    [("stop", "Stop project shop (2 containers)?"), ("restart", "Restart project shop (3 containers)?")],
)
async def test_the_question_counts_the_containers_that_the_command_acts_on(
    verb: str, question: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("pyd_tui.dashboard.actions.external_commands.find_compose", lambda: ["true"])
    engine = work()
    async with opened(engine, size=(100, 30)) as dashboard:
        await dashboard.measured(engine)
        await dashboard.press("Y")
        await dashboard.type(verb)
        await dashboard.press("enter")
        await dashboard.until_shown(question)
