from __future__ import annotations

import pytest

from support.dashboard import opened, three
from support.scripted_engine import ScriptedEngine


async def test_running_containers_come_first_and_exited_ones_show_their_exit_code():
    async with opened(three()) as dashboard:
        await dashboard.until(lambda: dashboard.shown == ["db", "web", "job"])
        await dashboard.until_shown("● running     db")
        assert "✗ exited 3" in dashboard.text
        assert "● 2 running  ○ 1 stopped  ✗ 1 broken   live" in dashboard.text


async def test_a_container_started_elsewhere_appears_and_its_death_is_shown():
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.until_shown("live")
        engine.add("new", emit=True)
        await dashboard.until(lambda: "new" in dashboard.shown)
        engine.die("new", 139)
        await dashboard.until_shown("exited 139")


async def test_events_below_an_opaque_screen_paint_nothing_and_show_on_return():
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.until_shown("live")
        await dashboard.press("question_mark")
        await dashboard.until_shown("Keys and commands")
        await dashboard.at_rest(0.5)
        painted = dashboard.app.painted
        engine.add("new", emit=True)
        await dashboard.until(lambda: "new" in dashboard.shown)
        await dashboard.pilot.pause(0.2)
        assert dashboard.app.painted == painted
        await dashboard.press("escape")
        await dashboard.until_shown("● running     new")


async def test_the_cursor_stays_on_its_container_when_the_order_changes():
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.press("j")
        assert dashboard.cursor == "web"
        engine.add("aaa", emit=True)
        await dashboard.until(lambda: len(dashboard.shown) == 4)
        assert dashboard.cursor == "web"
        engine.remove("web")
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        assert dashboard.cursor == "job"


async def test_the_filter_narrows_with_every_key_and_escape_clears_it():
    async with opened(three()) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.press("slash")
        await dashboard.type("sho")
        assert dashboard.shown == ["web"]
        assert "/ sho" in dashboard.text
        assert "1 of 3" in dashboard.text
        await dashboard.press("enter", "escape")
        assert dashboard.shown == ["db", "web", "job"]


async def test_the_list_can_be_limited_to_problems_or_to_running_containers():
    async with opened(three()) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.press("exclamation_mark")
        assert dashboard.shown == ["job"]
        await dashboard.press("exclamation_mark", "a")
        assert dashboard.shown == ["db", "web"]


async def test_the_log_of_the_container_under_the_cursor_is_followed():
    engine = three()
    engine.print("db", "ready")
    async with opened(engine) as dashboard:
        await dashboard.until_shown("ready")
        engine.print("db", "second line", stderr=True)
        await dashboard.until_shown("▏second line")
        await dashboard.press("j")
        engine.print("web", "GET / 200")
        await dashboard.until_shown("GET / 200")
        assert "second line" not in dashboard.text


async def test_details_show_the_overview_and_inspect_can_be_searched():
    async with opened(three()) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.press("enter")
        await dashboard.until_shown("postgres:16")
        assert "Container" in dashboard.text
        await dashboard.press("i")
        await dashboard.until_shown('"Id":')
        await dashboard.press("slash")
        await dashboard.type("restartc")
        await dashboard.press("enter")
        assert "/restartc 1 of 1" in dashboard.text
        await dashboard.press("escape", "q")
        assert dashboard.app.screen is dashboard.app.screen_stack[0]


async def test_details_of_a_removed_container_stay_on_screen():
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.press("enter")
        await dashboard.until_shown("postgres:16")
        engine.remove("db")
        await dashboard.until_shown("removed")
        assert "postgres:16" in dashboard.text


async def test_an_engine_without_containers_is_not_an_error():
    async with opened(ScriptedEngine()) as dashboard:
        await dashboard.until_shown("no containers yet")


async def test_a_filter_that_hides_everything_is_reported():
    async with opened(three()) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.press("slash")
        await dashboard.type("nope")
        assert "no container matches “nope” (0 of 3)" in dashboard.text


async def test_only_containers_on_screen_are_measured():
    engine = ScriptedEngine()
    for number in range(100):
        engine.add(f"box-{number:03}")
    async with opened(engine, size=(120, 30)) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 100)
        await dashboard.until(lambda: any("/stats" in request for request in engine.requests))
        requested = {request for request in engine.requests if request.endswith("/stats")}
        assert len(requested) <= dashboard.table.page < 100
        engine.sample("box-000", cpu_ns=10**9, memory=5 << 20)
        await dashboard.until_shown("100%")
        assert "5M" in dashboard.text


async def test_without_events_nothing_is_painted_or_requested():
    engine = ScriptedEngine()
    for number in range(15):
        engine.add(f"dead-{number:02}", state="exited", exit_code=1)
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: all(entry.detailed for entry in dashboard.app.link.containers.values()))
        await dashboard.until(lambda: len(dashboard.shown) == 15)
        await dashboard.until(lambda: dashboard.app.link.engine_name != "engine" and dashboard.app.tail.book.containers)
        known = dashboard.app.link.containers.values()
        await dashboard.until(lambda: all(dashboard.app.link.verdicts.of(entry) for entry in known))
        requested = -1
        while requested != len(engine.requests):  # a busy machine comes to rest late
            requested = len(engine.requests)
            await dashboard.settled(engine)
        painted = dashboard.app.painted
        await dashboard.pilot.pause(0.5)
        assert (dashboard.app.painted, engine.requests[requested:]) == (painted, [])


async def test_hostile_names_and_logs_are_shown_escaped():
    engine = ScriptedEngine()
    engine.add("\x1b]0;owned\x07[red]x[/red]", image="\u202egnp.exe\x9b2J")
    engine.print("\x1b]0;owned\x07[red]x[/red]", b"\x1b[2J\x1b[1;1Hcleared \xff \x1b[31mred\x1b[0m [b]bold[/b]")
    async with opened(engine) as dashboard:
        await dashboard.until_shown("cleared")
        assert "[red]x[/red]" in dashboard.text
        assert "[b]bold[/b]" in dashboard.text
        assert "red [b]" in dashboard.text  # the colour passed, its sequence didn't reach the text
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(dashboard.text)


async def test_every_size_down_to_a_few_cells_can_be_drawn():
    engine = three()
    async with opened(engine, size=(200, 50)) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        for size in ((120, 40), (80, 24), (60, 20), (40, 10), (20, 5), (3, 2), (200, 50)):
            await dashboard.resize(*size)
            await dashboard.pilot.pause()
            assert all(len(line) <= size[0] for line in dashboard.text.split("\n"))
        assert dashboard.shown == ["db", "web", "job"]


async def test_long_inspect_values_scroll_sideways():
    engine = ScriptedEngine()
    engine.add("web", env=[f"LONG={'x' * 150}END"])
    async with opened(engine, size=(80, 30)) as dashboard:
        await dashboard.until_shown("live")
        await dashboard.press("i", "slash")
        await dashboard.type("LONG")
        await dashboard.press("enter")
        await dashboard.until_shown("LONG=xxx")
        assert "END" not in dashboard.text
        await dashboard.press(*["right"] * 7)
        await dashboard.until_shown("xxxEND")
        await dashboard.press(*["left"] * 7)
        await dashboard.until_shown("LONG=xxx")


@pytest.mark.parametrize(
    ("version", "shown"),
    [
        ({"Version": "0.1.0", "Platform": {"Name": "pydd"}, "Components": [{"Name": "Engine"}]}, "pydd 0.1.0"),
        (
            {"Version": "5.4.2", "Platform": {"Name": "linux"}, "Components": [{"Name": "Podman Engine"}]},
            "Podman 5.4.2",
        ),
        ({"Version": "26.1.5+dfsg1", "Platform": {"Name": ""}, "Components": [{"Name": "Engine"}]}, "Docker 26.1.5"),
    ],
)
async def test_the_header_names_the_engine_that_answers(version: dict[str, object], shown: str):
    engine = ScriptedEngine()
    engine.documents["/version"] = version
    async with opened(engine) as dashboard:
        await dashboard.until_shown(shown)
