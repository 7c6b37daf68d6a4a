"""Verdicts in the dashboard: when they are requested, and how they are shown."""

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


def request_count_of(engine: ScriptedEngine) -> int:
    """Return the number of triage runs: each asks for the engine's version."""
    return engine.requests.count("GET /version")


async def test_the_list_of_problems_shows_the_reason_for_each_container():
    engine = patients()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: all(entry.detailed for entry in dashboard.app.link.containers.values()))
        await dashboard.press("exclamation_mark")
        assert "REASON" in dashboard.text
        await dashboard.until_shown("app-error")
        assert "web" not in dashboard.shown


async def test_one_number_of_broken_containers_is_judged_in_the_background_and_leaves_out_stopped_ones():
    engine = patients()
    engine.emit_of(engine.get("asked"), "kill", signal="9")
    engine.emit_of(engine.get("asked"), "die", exitCode="137")
    async with opened(engine) as dashboard:
        await dashboard.until_shown("✗ 1 broken")
        known, verdicts = dashboard.app.link.containers, dashboard.app.link.verdicts
        await dashboard.until(lambda: verdicts.of(known[engine.get("asked").id]))
        assert "✗ 1 broken" in dashboard.text
        await dashboard.press("exclamation_mark")
        assert dashboard.shown == ["boom"]
        assert "✗ 1 broken" in dashboard.text
        assert verdicts.answer(known[engine.get("web").id]) is None


async def test_a_verdict_is_requested_once_per_run():
    engine = patients()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: all(entry.detailed for entry in dashboard.app.link.containers.values()))
        verdicts, boom = dashboard.app.link.verdicts, engine.get("boom").id
        await dashboard.press("exclamation_mark")
        await dashboard.until(lambda: verdicts.of(dashboard.app.link.containers[boom]))
        await dashboard.until(lambda: not len(verdicts._tasks))
        request_count = request_count_of(engine)
        await dashboard.press("exclamation_mark", "exclamation_mark")
        await dashboard.pilot.pause(0.1)
        assert request_count_of(engine) == request_count
        engine.start("boom")
        engine.die("boom", 4)
        await dashboard.until(lambda: dashboard.app.link.containers[boom].exit_code == 4)
        await dashboard.until(lambda: verdicts.of(dashboard.app.link.containers[boom]))
        assert "exited" in dashboard.text


async def test_w_opens_the_verdict_with_its_evidence_and_next_steps():
    engine = patients()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        dashboard.table.go_to(RowTarget(dashboard.app.link, engine.get("boom").id))
        await dashboard.press("w")
        await dashboard.until_shown("app-error")
        for part in (
            "What to do",
            "Evidence",
            "Timeline",
            "Missing evidence",
            "kernel log: the engine runs on another",
        ):
            assert part in dashboard.text


async def test_the_key_of_the_steps_is_offered_only_where_the_verdict_suggests_some():
    engine = patients()
    engine.add("done", state="exited", exit_code=0)
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 4)
        for name, cause, offered in (("boom", "app-error", True), ("done", "clean-exit", False)):
            dashboard.table.go_to(RowTarget(dashboard.app.link, engine.get(name).id))
            await dashboard.press("w")
            await dashboard.until_shown(cause)
            assert ("enter steps" in dashboard.text.split("\n")[-1]) == offered
            await dashboard.press("q")


async def test_a_lost_engine_is_reported_instead_of_a_verdict_and_refresh_asks_again():
    engine = patients()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        known = dashboard.app.link.containers  # containers known only from the list get no verdicts
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


def test_evidence_without_times_has_no_column_for_them():
    verdict = Verdict(
        name="web",
        cause="never-started",
        confidence=0.95,
        summary="web was never started",
        evidence=(EvidenceLine(source="inspect", time=None, text="its state is created"),),
    )
    lines = ["".join(piece.text for piece in pieces) for pieces in why(verdict, Clock(), 60)]
    assert " inspect      its state is created" in lines
    assert any("almost certain, 0.95" in text for text in lines)
