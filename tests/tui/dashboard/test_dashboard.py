from __future__ import annotations

import pytest
from textual.events import Key

from pyd_core.engine.endpoint import Endpoint
from pyd_core.errors import NoEngine
from support.dashboard import opened
from support.scripted_engine import ScriptedEngine


def three() -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.add("web", image="shop/web:2", labels={"com.docker.compose.project": "shop"}, memory_limit=64 << 20)
    engine.add("db", image="postgres:16")
    engine.add("job", state="exited", exit_code=3)
    return engine


async def test_lists_the_living_first_and_says_the_exit_code_of_the_dead():
    async with opened(three()) as dashboard:
        await dashboard.until_shown("exited 3")
        assert dashboard.shown == ["db", "web", "job"]
        assert "● running     db" in dashboard.text
        assert "✗ exited 3" in dashboard.text
        assert "● 2 running  ○ 1 stopped  ✗ 1 broken   live" in dashboard.text


async def test_a_container_started_elsewhere_appears_and_its_death_is_shown():
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.until_shown("live")
        engine.add("new", tell=True)
        await dashboard.until(lambda: "new" in dashboard.shown)
        engine.die("new", 139)
        await dashboard.until_shown("exited 139")


async def test_what_happens_below_an_opaque_screen_paints_nothing_and_is_there_on_the_way_back():
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.until_shown("live")
        await dashboard.press("question_mark")
        await dashboard.until_shown("Keys and commands")
        await dashboard.at_rest(0.5)
        painted = dashboard.app.painted
        engine.add("new", tell=True)
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
        engine.add("aaa", tell=True)
        await dashboard.until(lambda: len(dashboard.shown) == 4)
        assert dashboard.cursor == "web"
        engine.remove("web")
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        assert dashboard.cursor == "job"


async def test_the_filter_narrows_with_every_key_and_escape_shows_all_again():
    async with opened(three()) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.press("slash")
        await dashboard.type("sho")
        assert dashboard.shown == ["web"]
        assert "/ sho" in dashboard.text
        assert "1 of 3" in dashboard.text
        await dashboard.press("enter", "escape")
        assert dashboard.shown == ["db", "web", "job"]


async def test_only_broken_and_only_living_can_be_asked_for():
    async with opened(three()) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.press("exclamation_mark")
        assert dashboard.shown == ["job"]
        await dashboard.press("exclamation_mark", "a")
        assert dashboard.shown == ["db", "web"]


async def test_stop_goes_to_the_container_under_the_cursor_at_once():
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.press("s")
        await dashboard.until_shown("stopped db")
        assert f"POST /containers/{engine.get('db').id}/stop" in engine.requests
        await dashboard.until_shown("exited 143")
        assert dashboard.app.link.containers[engine.get("web").id].alive


async def test_remove_asks_and_no_means_no():
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.press("x")
        assert "Remove db? It is running, and will be killed." in dashboard.text
        await dashboard.press("n")
        assert not any(request.startswith("DELETE") for request in engine.requests)
        await dashboard.press("x", "y")
        await dashboard.until_shown("removed db")
        assert "db" not in dashboard.shown


async def test_an_action_on_marked_ones_asks_once_with_all_their_names():
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.press("space", "space", "s")
        assert "Stop 2 containers?" in dashboard.text
        assert "◆ db" in dashboard.text
        assert "◆ web" in dashboard.text
        await dashboard.press("y")
        await dashboard.until_shown("stopped 2")
        assert not dashboard.table.marked


async def test_what_failed_stays_marked_and_says_why():
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.press("space", "space", "s")
        del engine.containers[engine.get("web").id]  # gone, and the engine forgot to tell
        await dashboard.press("y")
        await dashboard.until_shown("1 of 2 failed, stopped the others")
        assert "✗ web  No such container" in dashboard.text
        await dashboard.press("escape")
        assert dashboard.marked == ["web"]


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


async def test_detail_shows_what_it_is_and_inspect_can_be_searched():
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


async def test_a_container_that_is_removed_keeps_its_detail_on_screen():
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.press("enter")
        await dashboard.until_shown("postgres:16")
        engine.remove("db")
        await dashboard.until_shown("removed")
        assert "postgres:16" in dashboard.text


async def test_opens_without_an_engine_says_what_to_do_and_connects_when_one_comes_up(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("pyd_tui.dashboard.link.LOOK_AGAIN", 0.01)
    engine, there = three(), False

    def choose() -> Endpoint:
        if not there:
            raise NoEngine("no engine was found", hint="start Docker or Podman, or name one with --host")
        return engine.engine().endpoint

    async with opened(engine, choose=choose) as dashboard:
        await dashboard.until_shown("no engine was found")
        assert "start Docker or Podman, or name one with --host" in dashboard.text
        there = True
        await dashboard.until_shown("exited 3")


async def test_a_lost_engine_dims_what_was_known_and_says_how_old_it_is():
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.until_shown("live")
        engine.cut(down=True)
        await dashboard.until_shown("no engine")
        assert all(map(dashboard.table.is_stale, dashboard.table.keys))
        assert dashboard.shown == ["db", "web", "job"]
        engine.down = False
        await dashboard.until_shown("live")
        assert not any(map(dashboard.table.is_stale, dashboard.table.keys))


async def test_no_containers_is_not_an_error():
    async with opened(ScriptedEngine()) as dashboard:
        await dashboard.until_shown("no containers yet")


async def test_a_filter_that_hides_all_says_so():
    async with opened(three()) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.press("slash")
        await dashboard.type("nope")
        assert "none of 3 containers is matched by “nope”" in dashboard.text


async def test_figures_are_shown_for_what_is_on_screen_only():
    engine = ScriptedEngine()
    for number in range(100):
        engine.add(f"box-{number:03}")
    async with opened(engine, size=(120, 30)) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 100)
        await dashboard.until(lambda: any("/stats" in request for request in engine.requests))
        asked = {request for request in engine.requests if request.endswith("/stats")}
        assert len(asked) <= dashboard.table.page < 100
        engine.sample("box-000", cpu_ns=10**9, memory=5 << 20)
        await dashboard.until_shown("100%")
        assert "5M" in dashboard.text


async def test_nothing_is_painted_and_nothing_asked_while_nothing_happens():
    engine = ScriptedEngine()
    for number in range(50):
        engine.add(f"dead-{number:02}", state="exited", exit_code=1)
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: all(entry.detailed for entry in dashboard.app.link.containers.values()))
        await dashboard.until(lambda: len(dashboard.shown) == 50)
        await dashboard.until(lambda: dashboard.app.link.engine_name != "engine" and dashboard.app.tail.book.containers)
        asked = -1
        while asked != len(engine.requests):  # a busy machine comes to rest late
            asked = len(engine.requests)
            await dashboard.settled(engine)
        painted = dashboard.app.painted
        await dashboard.pilot.pause(0.5)
        assert (dashboard.app.painted, engine.requests[asked:]) == (painted, [])


async def test_hostile_names_and_logs_reach_the_screen_as_pictures_of_themselves():
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
            await dashboard.pilot.resize_terminal(*size)
            await dashboard.pilot.pause()
            assert all(len(line) <= size[0] for line in dashboard.text.split("\n"))
        assert dashboard.shown == ["db", "web", "job"]


async def test_the_help_lists_every_key_there_is():
    from pyd_tui.dashboard.keymap import KEYMAP

    async with opened(three(), size=(200, 160)) as dashboard:
        await dashboard.press("question_mark")
        for keys in KEYMAP.values():
            for key in keys:
                assert key.help in dashboard.text
        await dashboard.press("q")
        await dashboard.press("q")
        assert not dashboard.app.is_running


@pytest.mark.parametrize("tab", [False, True], ids=["filter", "find"])
async def test_what_is_typed_at_once_after_a_slash_is_text_and_never_a_command(tab: bool):
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3 and dashboard.table.was_seen)
        if tab:
            await dashboard.press("tab")
        for character in "/psrxyDe q":  # all in the app's queue before it looks at the first
            name = {"/": "slash", " ": "space"}.get(character, character)
            dashboard.app.post_message(Key(name, character))
        await dashboard.until_shown("/ psrxyDe q")
        assert not [request for request in engine.requests if not request.startswith("GET")]
        assert dashboard.app.is_running


async def test_a_key_typed_at_once_after_enter_is_a_command_and_never_text():
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3 and dashboard.table.was_seen)
        for name in ("slash", "w", "e", "b", "enter", "x"):
            dashboard.app.post_message(Key(name, name if len(name) == 1 else None))
        await dashboard.until_shown("Remove web?")
        await dashboard.press("n")
        assert dashboard.shown == ["web"]


async def test_a_quick_yes_meets_the_question_it_answers():
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3 and dashboard.table.was_seen)
        for character in "jxy":
            dashboard.app.post_message(Key(character, character))
        await dashboard.until_shown("removed web")
        assert "db" in dashboard.shown


async def test_what_is_long_in_inspect_is_read_sideways():
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


async def test_a_key_for_a_container_that_comes_before_the_list_says_so_and_nothing_is_done_later():
    engine = three()
    engine.hold.clear()
    async with opened(engine) as dashboard:
        for key in ("s", "x", "l", "w", "enter", "D", "e", "space", "asterisk", "U", "A", "C", "P", "O", "L", "i"):
            await dashboard.press(key)
            assert dashboard.message.startswith("still loading"), key
        engine.hold.set()
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        assert dashboard.message == "", "it would be no longer true"
        assert not dashboard.marked
        assert len(dashboard.app.screen_stack) == 1
        assert not [request for request in engine.requests if not request.startswith("GET")]


async def test_keys_that_need_no_container_do_their_work_before_the_list_is_there():
    engine = three()
    engine.hold.clear()
    async with opened(engine) as dashboard:
        await dashboard.press("slash")
        await dashboard.type("web")
        await dashboard.press("enter", "exclamation_mark", "exclamation_mark")
        engine.hold.set()
        await dashboard.until(lambda: dashboard.shown == ["web"])


async def test_a_key_for_a_container_where_there_is_none_says_so():
    async with opened(ScriptedEngine()) as dashboard:
        await dashboard.until_shown("no containers yet")
        await dashboard.press("s")
        assert dashboard.message == "there is no container to do that to"
