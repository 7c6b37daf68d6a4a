"""Commands typed after `:`, and the requests of actions."""

from __future__ import annotations

import msgspec
import pytest
from textual.events import Key

from pyd_core.errors import InvalidInput
from pyd_tui.dashboard.actions.catalogue import _limit, update
from pyd_tui.dashboard.input.command_call import CommandCall
from pyd_tui.dashboard.input.commands import hint, parse
from support.dashboard import Opened, opened
from support.scripted_engine import ScriptedEngine


def two() -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.add("db")
    engine.add("web")
    return engine


async def command(dashboard: Opened, text: str) -> None:
    await dashboard.press("colon")
    await dashboard.type(text)
    await dashboard.press("enter")


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("images", CommandCall("view", ("images",))),
        ("vol", CommandCall("view", ("volumes",))),
        ("kill HUP", CommandCall("kill", ("HUP",))),
        ("rename 'new name'", CommandCall("rename", ("new name",))),
        ("q", CommandCall("quit")),
        ("recreate", CommandCall("recreate")),
        ("again", CommandCall("recreate")),
        ("ag", CommandCall("recreate")),
    ],
)
def test_commands_are_found_by_unambiguous_prefixes(text: str, call: CommandCall):
    assert parse(text) == call


@pytest.mark.parametrize("text", ["nope", "rename", "rename a b", "kill A B", "rename 'a", "update"])
def test_invalid_commands_are_answered_with_the_syntax(text: str):
    with pytest.raises(InvalidInput) as caught:
        parse(text)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "value", "body"),
    [
        ("memory", "512m", {"Memory": 512 << 20, "MemorySwap": 1024 << 20}),
        ("memory", "1.5g", {"Memory": 3 << 29, "MemorySwap": 3 << 30}),
        ("cpus", "1.5", {"NanoCpus": 1_500_000_000}),
        ("pids", "100", {"PidsLimit": 100}),
        ("pids", "-1", {"PidsLimit": -1}),
        ("restart", "on-failure:3", {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}}),
    ],
)
def test_limits_are_sent_in_the_engines_fields(name: str, value: str, body: dict[str, object]):
    assert _limit(name, value) == body


@pytest.mark.parametrize("change", ["memory=0", "memory=lots", "cpus=0", "cpus=", "pids=0", "restart=maybe", "x=1"])
def test_invalid_limits_are_refused(change: str):
    with pytest.raises(InvalidInput):
        update([change])


async def test_kill_with_a_signal_rename_and_update_by_keyboard():
    engine = two()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 2)
        await dashboard.press("R")
        await dashboard.type("store")
        await dashboard.press("enter")
        await dashboard.until_shown("gave the name store to db")
        await dashboard.until(lambda: "store" in dashboard.shown)
        await dashboard.press("U")
        await dashboard.until_shown("Limits of")
        await dashboard.press("ctrl+u")
        await dashboard.type("64x")
        await dashboard.press("enter")
        await dashboard.until_shown("can't update memory to 64x")
        await dashboard.press("backspace")
        await dashboard.type("m")
        await dashboard.press("enter")
        await dashboard.until_shown("set memory=64m on")
        await command(dashboard, "kill HUP")
        await dashboard.until_shown("sent HUP to")
        sent = [request for request in engine.requests if request.startswith("POST")]
        assert [request.rpartition("/")[2] for request in sent] == ["rename", "update", "kill"]


def test_the_syntax_shows_the_arguments_once_and_then_the_effect():
    assert hint("rename ") == "NAME  give it a new name"
    assert hint("update memory=1g ") == "memory=512m cpus=1.5 pids=100 restart=always  change limits while it runs"
    assert hint("stop") == "stop it"
    assert hint("kill ").startswith("[SIGNAL]  send a signal, KILL by default  KILL TERM")


async def test_a_question_says_how_many_marked_containers_are_left_out():
    engine = two()
    engine.add("job", state="exited")
    engine.add("old", state="exited")
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.app.link.containers) == 4)
        await dashboard.press("asterisk")
        await dashboard.until(lambda: len(dashboard.marked) == 4)
        await command(dashboard, "kill HUP")
        await dashboard.until_shown("Send HUP to 2 containers? The other 2 aren't running.")


async def test_a_command_on_several_marked_containers_asks_once_with_the_list():
    engine = two()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 2)
        await dashboard.press("space", "space")
        await command(dashboard, "kill")
        assert "Send KILL to 2 containers?" in dashboard.text
        await dashboard.press("n")
        await command(dashboard, "rename x")
        assert "several containers can't have one name" in dashboard.message
        assert not [request for request in engine.requests if request.startswith("POST")]


async def test_a_read_only_dashboard_says_so_and_sends_no_changes():
    engine = two()
    endpoint = msgspec.structs.replace(engine.engine().endpoint, read_only=True)

    async with opened(engine, choose=lambda: endpoint) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 2)
        assert "read-only" in dashboard.text
        for keys in (("s",), ("r",), ("p",), ("x", "y"), ("e",), ("D",), ("2", "x", "y"), ("P", "y")):
            await dashboard.press(*keys)
            if keys == ("s",):
                assert "nothing is changed on this engine" in dashboard.message
        assert {request.partition(" ")[0] for request in engine.requests} == {"GET"}
        assert dashboard.app.is_running


async def test_a_quick_enter_after_a_filter_opens_its_match():
    engine = two()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 2)
        for name, character in (("slash", "/"), ("w", "w"), ("e", "e"), ("b", "b"), ("enter", "\r"), ("enter", "\r")):
            dashboard.app.post_message(Key(name, character))
        await dashboard.until_shown("Overview")
        assert " web " in dashboard.text
