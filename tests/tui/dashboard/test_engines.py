"""Several engines at the same time, with one current engine; a lost one delays nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pyd_tui.cli.dashboard_entry import short_names
from pyd_tui.dashboard.render.engines import tabs
from support.dashboard import several
from support.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    import pytest


def two() -> dict[str, ScriptedEngine]:
    first, other = ScriptedEngine(), ScriptedEngine()
    first.add("web")
    other.add("db")
    other.add("job", state="exited", exit_code=1)
    other.print("db", "ready to accept")
    return {"near": first, "far": other}


async def test_one_engine_is_shown_and_the_others_stay_connected():
    engines = two()
    async with several(engines) as dashboard:
        await dashboard.until_shown("far ✗1")
        assert dashboard.shown == ["web"]
        engines["far"].die("db", 9)
        await dashboard.until_shown("far ✗2")
        assert dashboard.shown == ["web"]
        await dashboard.press("right_square_bracket")
        await dashboard.until(lambda: sorted(dashboard.shown) == ["db", "job"])
        await dashboard.until_shown("tcp://far")
        await dashboard.until_shown("ready to accept")
        stats = dashboard.app.links[0].stats
        assert stats is not None
        assert not stats._watched
        await dashboard.press("right_square_bracket")
        await dashboard.until_shown("the line is cut")
        await dashboard.press("right_square_bracket")
        await dashboard.until(lambda: dashboard.shown == ["web"])


async def test_from_any_view_the_list_of_engines_leads_to_another_one_and_to_docker_contexts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    directory = tmp_path / "contexts/meta/x"
    directory.mkdir(parents=True)
    (directory / "meta.json").write_text('{"Name":"late","Endpoints":{"docker":{"Host":"tcp://far.invalid:2375"}}}')
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    engines = two()
    async with several({"near": engines["near"], "far": engines["far"]}) as dashboard:
        await dashboard.until_shown("far ✗1")
        await dashboard.press("2", "E")
        await dashboard.until_shown("ADDRESS")
        assert "the line is cut" in dashboard.text
        assert "late" not in dashboard.text, "it is the address of an engine that is there"
        (directory / "meta.json").write_text(
            '{"Name":"late","Endpoints":{"docker":{"Host":"tcp://near.invalid:2376"}}}'
        )
        await dashboard.press("q", "E")
        await dashboard.until_shown("not connected")
        await dashboard.press("g", "j", "enter")
        await dashboard.until(lambda: sorted(dashboard.shown) == ["db", "job"])
        assert dashboard.app.screen is dashboard.app.screen_stack[0]


async def test_events_and_views_are_those_of_the_current_engine():
    engines = two()
    async with several(engines) as dashboard:
        await dashboard.until_shown("far ✗1")
        engines["near"].die("web", 3)
        await dashboard.until_shown("near ✗1")
        await dashboard.press("right_square_bracket")
        await dashboard.until(lambda: sorted(dashboard.shown) == ["db", "job"])
        assert [item.name for item in dashboard.app.timeline.items] == []
        await dashboard.press("colon")
        await dashboard.type("engines")
        await dashboard.press("enter")
        await dashboard.until_shown("ADDRESS")


def test_with_many_engines_only_the_current_one_is_named():
    known = [(f"machine-{number}", "live", number, number == 1) for number in range(4)]
    text = "".join(piece.text for piece in tabs(known, 100))
    assert text.startswith("● machine-0  ● machine-1 ✗1  ● machine-2 ✗2")
    assert "".join(piece.text for piece in tabs(known, 30)) == "● machine-1 ✗1  2 of 4"
    assert len("".join(piece.text for piece in tabs(known, 18))) == 18


def test_addresses_get_short_distinct_names():
    assert short_names(["ssh://me@alpha", "tcp://beta:2375", "unix:///run/x.sock"]) == ["alpha", "beta", "x.sock"]
    assert short_names(["unix:///a/b/d.sock", "unix:///a/c/d.sock"]) == ["b/d.sock", "c/d.sock"]
    same = ["unix:///a/b/d.sock", "unix:///x/b/d.sock"]
    assert short_names(same) == same
