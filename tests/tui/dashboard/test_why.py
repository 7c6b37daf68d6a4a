"""The verdict in the dashboard: who is judged, when, and what of it is on screen."""

from __future__ import annotations

from pyd_core.model.base import format_time
from pyd_core.triage.verdict import EvidenceLine, Verdict
from pyd_tui.dashboard.engines.target import RowTarget
from pyd_tui.dashboard.render.figures import Clock
from pyd_tui.dashboard.render.why import why
from support.dashboard import opened
from support.scripted_engine import START_NS, ScriptedEngine


def patients() -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.add("web")
    engine.add("boom", state="exited", exit_code=3)
    engine.add("asked", state="exited", exit_code=137)
    engine.print("boom", "Traceback: no config", stderr=True)
    return engine


def asked_about(engine: ScriptedEngine) -> int:
    """How often triage began: it asks the engine what it is made of each time."""
    return engine.requests.count("GET /version")


async def test_the_view_of_the_broken_says_why_each_is_in_it():
    engine = patients()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: all(entry.detailed for entry in dashboard.app.link.containers.values()))
        await dashboard.press("exclamation_mark")
        assert "REASON" in dashboard.text
        await dashboard.until_shown("app-error")
        assert "web" not in dashboard.shown


async def test_who_triage_finds_well_leaves_the_view_of_the_broken_and_the_count():
    engine = patients()
    engine.emit_of(engine.get("asked"), "kill", signal="9")
    engine.emit_of(engine.get("asked"), "die", exitCode="137")
    async with opened(engine) as dashboard:
        await dashboard.until_shown("✗ 2 broken")
        await dashboard.press("exclamation_mark")
        await dashboard.until_shown("✗ 1 broken")
        assert dashboard.shown == ["boom"]


async def test_nobody_is_judged_before_somebody_looks():
    engine = patients()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: all(entry.detailed for entry in dashboard.app.link.containers.values()))
        assert all(dashboard.app.link.judge.answer(entry) is None for entry in dashboard.app.link.containers.values())


async def test_a_verdict_is_asked_for_once_in_a_run_and_again_for_the_next():
    engine = patients()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: all(entry.detailed for entry in dashboard.app.link.containers.values()))
        judge, boom = dashboard.app.link.judge, engine.get("boom").id
        await dashboard.press("exclamation_mark")
        await dashboard.until(lambda: judge.of(dashboard.app.link.containers[boom]))
        await dashboard.until(lambda: not len(judge._tasks))
        asked = asked_about(engine)
        await dashboard.press("exclamation_mark", "exclamation_mark")
        await dashboard.pilot.pause(0.1)
        assert asked_about(engine) == asked
        engine.start("boom")
        engine.die("boom", 4)
        await dashboard.until(lambda: dashboard.app.link.containers[boom].exit_code == 4)
        await dashboard.until(lambda: judge.of(dashboard.app.link.containers[boom]))
        assert "exited" in dashboard.text


async def test_w_opens_the_verdict_with_its_evidence_and_what_to_do():
    engine = patients()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        dashboard.table.go_to(RowTarget(dashboard.app.link, engine.get("boom").id))
        await dashboard.press("w")
        await dashboard.until_shown("app-error")
        for part in ("What to do", "Evidence", "Time line", "Not seen", "kernel log: the engine runs on another"):
            assert part in dashboard.text


async def test_an_engine_that_is_lost_meanwhile_is_said_and_can_be_asked_again():
    engine = patients()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        known = dashboard.app.link.containers  # nobody is judged of whom only the list has told
        await dashboard.until(lambda: all(entry.detailed for entry in known.values()))
        dashboard.table.go_to(RowTarget(dashboard.app.link, engine.get("boom").id))
        engine.down = True
        await dashboard.press("w")
        await dashboard.until_shown("no engine answers at the scripted socket")
        engine.down = False
        await dashboard.press("ctrl+r")
        await dashboard.until_shown("app-error")


def test_a_verdict_is_wrapped_to_the_width_and_hostile_evidence_is_made_visible():
    line = EvidenceLine(source="log", time=format_time(START_NS), text="\x1b[2J" + "word " * 60)
    verdict = Verdict(name="web", cause="app-error", confidence=0.8, summary="web ended", evidence=(line,))
    lines = ["".join(piece.text for piece in pieces) for pieces in why(verdict, Clock(), 60)]
    assert max(map(len, lines)) <= 60
    assert not any("\x1b" in text for text in lines)
    assert any("likely, 0.80" in text for text in lines)
