from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from pyd_core.errors import InvalidInput
from pyd_core.triage.verdict import Verdict
from pyd_core.watch.death_hook import DeathHook
from pyd_core.watch.history_store import Death

VERDICT = Verdict(name="web; touch /tmp/owned", cause="app-error", confidence=1.0, summary="it ended")
DEATH = Death(name="web; touch /tmp/owned", container="c", ended_ns=1, verdict=VERDICT)


async def test_the_command_gets_the_death_as_json(tmp_path: Path) -> None:
    out = tmp_path / "out"
    hook = DeathHook(f"{sys.executable} -c 'import sys; open(sys.argv[1], \"w\").write(sys.stdin.read())' {out}")
    await hook(DEATH)
    assert hook.failed == 0
    document = msgspec.json.decode(out.read_bytes())
    assert document["name"] == DEATH.name
    assert document["verdict"]["cause"] == "app-error"


@pytest.mark.parametrize("command", ["false", "/no/such/command"])
async def test_a_command_that_fails_is_counted_and_raises_nothing(command: str) -> None:
    hook = DeathHook(command)
    await hook(DEATH)
    assert hook.failed == 1


async def test_a_command_that_reads_nothing_is_no_failure() -> None:
    hook = DeathHook("true")
    await hook(DEATH)
    assert hook.failed == 0


@pytest.mark.parametrize("command", ["", "   ", "echo 'unfinished"])
def test_what_is_no_command_is_refused(command: str) -> None:
    with pytest.raises(InvalidInput):
        DeathHook(command)
