"""Steps that a verdict suggests."""

from __future__ import annotations

import msgspec
import pytest

from pyd_core.client.endpoint import Endpoint
from pyd_core.model.base import format_time
from pyd_core.triage.causes import CAUSES
from pyd_core.triage.verdict import EvidenceLine, Verdict
from pyd_core.watch.container_info import ContainerInfo
from pyd_tui.dashboard.actions.next_steps import Step, engine_options, next_steps, take_step
from pyd_tui.dashboard.engines.target import RowTarget
from pyd_tui.dashboard.screens.main import Main
from support.dashboard import opened
from support.scripted_engine import START_NS, ScriptedEngine

REMOTE_ENDPOINT = Endpoint(url="ssh://far", origin="--host")
WEB = ContainerInfo(id="a", name="web", state="exited")


def verdict(cause: str, *advice: str, reason: str = "", line: str = "") -> Verdict:
    evidence = (EvidenceLine(source="log", time=format_time(START_NS), text=f"stderr: {line}"),) if line else ()
    return Verdict(
        name="web",
        cause=cause,
        confidence=0.9,
        summary="web failed",
        reason=reason,
        severity="broken",
        evidence=evidence,
        advice=(*advice, CAUSES[cause].remedy),
    )


@pytest.mark.parametrize(
    ("endpoint", "options"),
    [
        (Endpoint(url="unix:///var/run/docker.sock", origin="default socket"), ()),
        (Endpoint(url="tcp://a:1", origin="DOCKER_HOST"), ()),
        (REMOTE_ENDPOINT, ("-H", "ssh://far")),
        (Endpoint(url="ssh://b", origin="context prod"), ("--context", "prod")),
    ],
)
def test_commands_name_the_engine_that_pyd_would_not_choose(endpoint: Endpoint, options: tuple[str, ...]):
    assert engine_options(endpoint) == options
    steps = next_steps(verdict("app-error", "pyd diff web"), WEB, endpoint)
    assert " ".join(("pyd", *options, "diff web")) in [step.text for step in steps]


def test_the_first_step_changes_nothing_and_notes_come_last():
    answer = verdict(
        "oom-killed", "pyd update --memory 32m --memory-swap 32m web", "pyd stats web", "pyd run --init … # try"
    )
    steps = next_steps(answer, WEB, REMOTE_ENDPOINT)
    assert [step.kind for step in steps] == ["stats", "command", "recreate", "command", "debug", "note", "note"]
    assert [step.changes for step in steps[:2]] == [False, True]
    assert steps[1].words == ("update", "--memory", "32m", "--memory-swap", "32m", "web")
    assert steps[3].words == ("start", "web")


def test_a_missing_variable_is_filled_into_the_form():
    steps = next_steps(
        verdict("missing-env", reason="QUEUE_URL is not set", line="QUEUE_URL is not set"), WEB, REMOTE_ENDPOINT
    )
    assert [(step.at_ns, step.text) for step in steps if step.kind == "log"] == [
        (START_NS, "open the log at the line “QUEUE_URL is not set”")
    ]
    assert [step.env for step in steps if step.kind == "recreate"] == ["QUEUE_URL="]


def test_a_hostile_subject_stays_one_argument_and_no_command_of_the_host_is_run():
    path = "'/x; rm -rf /'"
    steps = next_steps(verdict("missing-file", f"pyd debug web -c {path}", "chown -R 0 '$(id)'"), WEB, REMOTE_ENDPOINT)
    assert next(step.words for step in steps if step.words[:2] == ("debug", "web"))[-1] == "/x; rm -rf /"
    assert [step.kind for step in steps if "chown" in step.text] == ["host"]


async def test_enter_on_the_verdict_offers_its_steps_and_opens_the_log_at_the_line():
    engine = ScriptedEngine()
    engine.add("boom", state="exited", exit_code=3)
    engine.print("boom", "ERROR the widget is bent", stderr=True)
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 1)
        await dashboard.until(lambda: all(entry.detailed for entry in dashboard.app.link.containers.values()))
        await dashboard.press("w")
        await dashboard.until_shown("app-error")
        await dashboard.until_shown("1 open the log at the line")
        await dashboard.press("enter")
        await dashboard.until_shown("What to do about boom")
        await dashboard.press("2")
        assert "▌ 2" in dashboard.text
        await dashboard.press("escape", "enter")
        await dashboard.until_shown("What to do about boom")
        dashboard.app.simulate_key("2")
        dashboard.app.simulate_key("c")  # typed before the digit was processed
        await dashboard.until_shown("copied")
        assert "pyd" in dashboard.message, "the second step is a command"
        await dashboard.press("enter")
        await dashboard.press("1", "enter")
        await dashboard.until_shown("ERROR the widget is bent")
        assert type(dashboard.app.screen).__name__ == "LogScreen"


async def test_a_step_that_changes_something_is_refused_on_a_read_only_engine():
    engine = ScriptedEngine()
    identity = engine.add("boom", state="exited", exit_code=3)
    endpoint = msgspec.structs.replace(engine.engine().endpoint, read_only=True)
    async with opened(engine, choose=lambda: endpoint) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 1)
        step = Step(kind="command", text="pyd rm boom", words=("rm", "boom"))
        take_step(dashboard.app, RowTarget(dashboard.app.link, identity), step)
        await dashboard.until_shown("read-only")
        assert isinstance(dashboard.app.screen, Main)


async def test_the_form_of_a_suggested_change_starts_in_the_field_to_complete():
    engine = ScriptedEngine()
    identity = engine.add("worker", state="exited", exit_code=1)
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 1)
        target = RowTarget(dashboard.app.link, identity)
        take_step(dashboard.app, target, Step(kind="recreate", text="recreate it with QUEUE_URL set", env="QUEUE_URL="))
        await dashboard.until_shown("QUEUE_URL=")
        await dashboard.type("x")
        await dashboard.until_shown("QUEUE_URL=x")
