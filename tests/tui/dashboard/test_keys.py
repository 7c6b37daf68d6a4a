"""Actions of keys, and the containers they act on."""

from __future__ import annotations

import pytest
from textual.events import Key

from support.dashboard import opened, three
from support.scripted_engine import ScriptedEngine


async def test_stop_acts_on_the_container_under_the_cursor_immediately():
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.press("s")
        await dashboard.until_shown("stopped db")
        assert f"POST /containers/{engine.get('db').id}/stop" in engine.requests
        await dashboard.until_shown("exited 143")
        assert dashboard.app.link.containers[engine.get("web").id].has_processes


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


async def test_an_action_on_marked_containers_asks_once_with_all_names():
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


async def test_failures_stay_marked_and_are_reported():
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.press("space", "space", "s")
        del engine.containers[engine.get("web").id]  # removed without an event
        await dashboard.press("y")
        await dashboard.until_shown("1 of 2 failed; stopped the other one")
        assert "✗ web  No such container" in dashboard.text
        await dashboard.press("escape")
        assert dashboard.marked == ["web"]


async def test_the_help_lists_every_key_there_is():
    from pyd_tui.dashboard.input.keymap import KEYMAP

    async with opened(three(), size=(200, 200)) as dashboard:
        await dashboard.press("question_mark")
        for keys in KEYMAP.values():
            for key in keys:
                assert key.help in dashboard.text
        await dashboard.press("q")
        await dashboard.press("q", "q")
        assert not dashboard.app.is_running


@pytest.mark.parametrize("tab", [False, True], ids=["filter", "find"])
async def test_keys_typed_right_after_a_slash_are_text_and_never_commands(tab: bool):
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3 and dashboard.table.was_seen)
        if tab:
            await dashboard.press("tab")
        for character in "/psrxyDe q":  # all are queued before the app handles the first
            name = {"/": "slash", " ": "space"}.get(character, character)
            dashboard.app.post_message(Key(name, character))
        await dashboard.until_shown("/ psrxyDe q")
        assert not [request for request in engine.requests if not request.startswith("GET")]
        assert dashboard.app.is_running


async def test_a_key_typed_right_after_enter_is_a_command_and_never_text():
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


async def test_a_container_key_before_the_list_is_loaded_is_refused_and_never_runs_later():
    engine = three()
    engine.hold.clear()
    async with opened(engine) as dashboard:
        for key in (
            "s",
            "x",
            "l",
            "w",
            "enter",
            "D",
            "e",
            "space",
            "asterisk",
            "U",
            "A",
            "C",
            "I",
            "Y",
            "L",
            "i",
            "full_stop",
            "F",
            "m",
            "P",
        ):
            await dashboard.press(key)
            assert dashboard.message.startswith("still loading"), key
        engine.hold.set()
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        assert dashboard.message == "", "it would be no longer true"
        assert not dashboard.marked
        assert len(dashboard.app.screen_stack) == 1
        assert not [request for request in engine.requests if not request.startswith("GET")]


async def test_keys_that_need_no_container_work_before_the_list_is_loaded():
    engine = three()
    engine.hold.clear()
    async with opened(engine) as dashboard:
        await dashboard.press("slash")
        await dashboard.type("web")
        await dashboard.press("enter", "exclamation_mark", "exclamation_mark")
        engine.hold.set()
        await dashboard.until(lambda: dashboard.shown == ["web"])


async def test_a_container_key_without_containers_is_refused():
    async with opened(ScriptedEngine()) as dashboard:
        await dashboard.until_shown("no containers yet")
        await dashboard.press("s")
        assert dashboard.message == "there is no container"
