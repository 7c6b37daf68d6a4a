"""The containers of several engines in one list, each acted on at its own engine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pyd_core.model.event import Event
from pyd_tui.config.settings import UiState, UserSettings
from pyd_tui.dashboard.screens.main import Main
from pyd_tui.dashboard.startup.startup_state import StartupState, load_startup_state
from support.dashboard import Opened, several
from support.scripted_engine import ScriptedEngine

SHOP = {"com.docker.compose.project": "shop"}


def two() -> dict[str, ScriptedEngine]:
    """Return two engines with a container of the same name and id."""
    near, far = ScriptedEngine(), ScriptedEngine()
    near.add("web", image="near/web:1")
    near.add("cache", labels=SHOP)
    far.add("web", image="far/web:2")
    far.add("db", labels=SHOP)
    far.add("job", state="exited", exit_code=1)
    near.print("web", "near says so")
    far.print("web", "far says so")
    far.print("db", "ready to accept")
    return {"near": near, "far": far}


def rows(dashboard: Opened) -> list[tuple[str, str]]:
    """Return the engine and the name of each row, in order."""
    return [(key.link.label, dashboard.names([key])[0]) for key in dashboard.table.keys]


async def merged(dashboard: Opened, count: int = 5) -> None:
    """Merge the lists of all engines, once they are loaded."""
    await dashboard.until(lambda: sum(len(link.containers) for link in dashboard.app.links) == count)
    await dashboard.press("M")
    await dashboard.until(lambda: len(dashboard.table.keys) == count and dashboard.table.was_seen)


def put(dashboard: Opened, engine: str, name: str) -> None:
    """Move the cursor to a row."""
    dashboard.table.go_to(dashboard.table.keys[rows(dashboard).index((engine, name))])


def changes(engine: ScriptedEngine) -> list[str]:
    """Return the requests that change something on an engine."""
    return [request.partition(" ")[2] for request in engine.requests if not request.startswith("GET")]


async def test_the_merged_list_shows_each_rows_engine_and_the_same_key_leaves_it():
    async with several(two()) as dashboard:
        await merged(dashboard)
        assert sorted(rows(dashboard)) == [
            ("far", "db"),
            ("far", "job"),
            ("far", "web"),
            ("near", "cache"),
            ("near", "web"),
        ]
        assert "ENGINE" in dashboard.text
        assert "3 engines" in dashboard.text
        await dashboard.press("M")
        await dashboard.until(lambda: sorted(dashboard.shown) == ["cache", "web"])
        assert "ENGINE" not in dashboard.text
        await dashboard.press("colon")
        await dashboard.type("merge")
        await dashboard.press("enter")
        await dashboard.until(lambda: len(dashboard.shown) == 5)


async def test_an_action_runs_on_the_engine_of_its_row_even_if_another_has_the_same_id():
    engines = two()
    async with several(engines) as dashboard:
        await merged(dashboard)
        assert engines["near"].get("web").id == engines["far"].get("web").id
        put(dashboard, "far", "web")
        await dashboard.press("s")
        await dashboard.until_shown("stopped web on far")
        assert engines["near"].get("web").running
        assert not engines["far"].get("web").running
        assert changes(engines["near"]) == []


async def test_marked_containers_of_several_engines_are_confirmed_once_and_each_runs_on_its_own():
    engines = two()
    async with several(engines, size=(120, 40)) as dashboard:
        await merged(dashboard)
        put(dashboard, "far", "db")
        await dashboard.press("space")
        put(dashboard, "near", "cache")
        await dashboard.press("space", "x")
        assert "Remove 2 containers? All are running, and will be killed." in dashboard.text
        assert "cache on near" in dashboard.text
        assert "db on far" in dashboard.text
        await dashboard.press("y")
        await dashboard.until_shown("removed 2")
        await dashboard.until(lambda: len(dashboard.table.keys) == 3)
        assert [len(changes(engines[name])) for name in ("near", "far")] == [1, 1]
        assert rows(dashboard) == [("near", "web"), ("far", "web"), ("far", "job")]
        assert not dashboard.marked


async def test_a_failure_on_one_engine_stays_marked_and_the_others_succeed():
    engines = two()
    async with several(engines, size=(120, 40)) as dashboard:
        await merged(dashboard)
        engines["far"].refusals[f"POST /containers/{engines['far'].get('db').id}/stop"] = (500, "it is wedged")
        put(dashboard, "far", "db")
        await dashboard.press("space")
        put(dashboard, "near", "cache")
        await dashboard.press("space", "s", "y")
        await dashboard.until_shown("1 of 2 failed")
        assert re.search(r"✗ db on far +it is wedged", dashboard.text), dashboard.text
        await dashboard.press("escape")
        assert dashboard.marked == ["db"]
        assert not engines["near"].get("cache").running


async def test_filters_and_sorting_use_the_names_of_engines():
    async with several(two()) as dashboard:
        await merged(dashboard)
        await dashboard.press("slash")
        await dashboard.type("far web")
        await dashboard.until(lambda: rows(dashboard) == [("far", "web")])
        await dashboard.press("escape")
        await dashboard.until(lambda: len(dashboard.table.keys) == 5)
        while dashboard.table.view.sort != "engine":
            await dashboard.press("o")
        assert rows(dashboard) == [("near", "web"), ("near", "cache"), ("far", "web"), ("far", "db"), ("far", "job")]
        await dashboard.press("M")
        await dashboard.until(lambda: dashboard.table.view.sort == "state")


async def test_only_the_rows_of_a_lost_engine_are_dimmed_with_age_and_reason():
    engines = two()
    async with several(engines) as dashboard:
        await merged(dashboard)
        engines["far"].cut(down=True)
        await dashboard.until(lambda: dashboard.app.links[1].connection.state == "lost")
        put(dashboard, "far", "db")
        await dashboard.until_shown("○ far (0s old) and 1 more: ")
        stale = {(key.link.label, dashboard.table.is_stale(key)) for key in dashboard.table.keys}
        assert stale == {("near", False), ("far", True)}
        await dashboard.until_shown(": no engine answers")
        assert re.search(r"db +far \(0s old\)", dashboard.text)
        engines["near"].die("cache", 4)
        await dashboard.until_shown("exited 4")
        engines["far"].down = False
        await dashboard.until_shown("far: connected again")
        assert not any(map(dashboard.table.is_stale, dashboard.table.keys))


async def test_logs_detail_and_views_are_those_of_the_engine_of_the_row():
    engines = two()
    async with several(engines) as dashboard:
        await merged(dashboard)
        put(dashboard, "far", "web")
        await dashboard.until_shown("far says so")
        assert "near says so" not in dashboard.text
        await dashboard.press("enter")
        await dashboard.until_shown("far/web:2")
        assert "tcp://far.invalid:2375" in dashboard.text
        await dashboard.press("q")
        await dashboard.until(lambda: isinstance(dashboard.app.screen, Main))
        await dashboard.press("2")
        await dashboard.until_shown("tcp://far.invalid:2375")
        await dashboard.press("1")
        await dashboard.until(lambda: isinstance(dashboard.app.screen, Main) and len(dashboard.table.keys) == 5)
        put(dashboard, "near", "web")
        await dashboard.until_shown("near says so")


async def test_the_logs_of_marked_containers_of_several_engines_are_merged_in_order_of_time():
    engines = two()
    async with several(engines) as dashboard:
        await merged(dashboard)
        put(dashboard, "far", "db")
        await dashboard.press("space")
        put(dashboard, "near", "web")
        await dashboard.press("space", "l")
        await dashboard.until_shown("ready to accept")
        await dashboard.until_shown("near says so")
        assert "2 containers" in dashboard.text
        engines["near"].print("web", "and continues")
        await dashboard.until_shown("and continues")


async def test_events_are_those_of_the_engine_of_the_row():
    engines = two()
    async with several(engines) as dashboard:
        await merged(dashboard)
        put(dashboard, "far", "db")
        await dashboard.press("V")
        engines["near"].die("cache", 3)
        engines["far"].die("job", 9)
        far = dashboard.app.links[1]
        await dashboard.until(
            lambda: any(isinstance(item, Event) and item.verb == "die" for item in far.timeline.items)
        )
        put(dashboard, "far", "db")
        await dashboard.until_shown("exit 9")
        assert "exit 3" not in dashboard.text


async def test_every_engine_measures_its_own_rows_until_the_list_is_left():
    async with several(two()) as dashboard:
        await merged(dashboard)
        near, far, _ = dashboard.app.links
        await dashboard.until(lambda: near._watched == set(near.containers))
        await dashboard.until(lambda: len(far._watched) == 2)
        await dashboard.press("right_square_bracket")
        await dashboard.until(lambda: not near._watched and len(far._watched) == 2)
        assert not dashboard.app.merged


async def test_a_single_engine_cannot_be_merged():
    engines = two()
    async with several({"near": engines["near"]}, dead_too=False) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 2)
        await dashboard.press("M")
        assert "there is no other engine" in dashboard.message


async def test_merging_starts_as_the_settings_say_and_later_as_it_was_left():
    beginning = StartupState(settings=UserSettings(merged=True), merged=True)
    async with several(two(), beginning=beginning) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 5)
        assert dashboard.app.ui_state.merged is None
        await dashboard.press("M")
        await dashboard.until(lambda: len(dashboard.shown) == 2)
        assert dashboard.app.ui_state.merged is False


@pytest.mark.parametrize(
    ("set", "left", "begins"), [(False, None, False), (True, None, True), (True, False, False), (False, True, True)]
)
def test_the_last_choice_takes_precedence_over_the_settings(
    set: bool, left: bool | None, begins: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("pyd_tui.dashboard.startup.startup_state.read_settings", lambda _: UserSettings(merged=set))
    monkeypatch.setattr("pyd_tui.dashboard.startup.startup_state.state_file", lambda: tmp_path / "state")
    monkeypatch.setattr("pyd_tui.dashboard.startup.startup_state.load_state", lambda _: UiState(merged=left))
    assert load_startup_state().merged is begins
