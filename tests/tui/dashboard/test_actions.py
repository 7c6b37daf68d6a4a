from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from pyd_core.errors import InvalidInput
from pyd_core.model.base import decode
from pyd_core.model.container import Container
from pyd_tui.config.settings import UiState, UserCommand, UserSettings
from pyd_tui.dashboard.actions.forms import recreate_changes, recreate_fields
from pyd_tui.dashboard.screens.output import Output
from pyd_tui.dashboard.startup.startup_state import StartupState
from support.dashboard import Opened, opened
from support.scripted_engine import ScriptedEngine


def five() -> ScriptedEngine:
    engine = ScriptedEngine()
    for name in ("a", "b", "c", "d", "e"):
        engine.add(name)
    return engine


async def ready(dashboard: Opened, count: int = 5) -> None:
    await dashboard.until(lambda: len(dashboard.shown) == count)


async def test_single_rows_ranges_and_all_shown_rows_can_be_marked():
    async with opened(five()) as dashboard:
        await ready(dashboard)
        await dashboard.press("space", "j", "j", "ctrl+@")
        assert dashboard.marked == ["a", "b", "c", "d"]
        await dashboard.press("asterisk")
        assert dashboard.marked == ["a", "b", "c", "d", "e"]
        await dashboard.press("asterisk")
        assert dashboard.marked == []
        await dashboard.press("slash")
        await dashboard.type("c")
        await dashboard.press("enter", "asterisk", "escape", "escape")
        assert dashboard.marked == []


async def test_a_bulk_action_asks_once_reports_each_outcome_and_retries_failures():
    engine = five()
    refused = engine.get("b").id
    engine.refusals[f"POST /containers/{refused}/stop"] = (500, "device or resource busy")
    async with opened(engine) as dashboard:
        await ready(dashboard)
        await dashboard.press("space", "space", "space", "s")
        assert "Stop 3 containers?" in dashboard.text
        assert all(f"◆ {name}" in dashboard.text for name in ("a", "b", "c"))
        await dashboard.press("y")
        await dashboard.until_shown("1 of 3 failed; stopped the other 2")
        assert "✗ b  device or resource busy" in dashboard.text
        engine.refusals.clear()
        before = len(engine.requests)
        await dashboard.press("r")
        await dashboard.until_shown("stopped b")
        sent = [request for request in engine.requests[before:] if request.startswith("POST")]
        assert sent == [f"POST /containers/{refused}/stop"]


async def test_a_long_list_in_a_question_can_be_read_before_the_answer():
    engine = ScriptedEngine()
    names = [f"one-{number:02}" for number in range(40)]
    for name in names:
        engine.add(name)
    async with opened(engine, size=(60, 20)) as dashboard:
        await ready(dashboard, 40)
        await dashboard.press("asterisk", "x")
        await dashboard.until_shown("Remove 40 containers?")
        seen = {name for name in names if f"◆ {name} " in dashboard.text}
        assert "one-00" in seen
        assert "one-39" not in seen
        while "one-39" not in seen:
            await dashboard.press("ctrl+d")
            seen |= {name for name in names if f"◆ {name} " in dashboard.text}
        assert seen == set(names)
        assert "y yes" in dashboard.text
        await dashboard.press("G", "g", "k")
        assert "◆ one-00 " in dashboard.text
        await dashboard.press("n")
        assert not [request for request in engine.requests if not request.startswith("GET")]


@pytest.mark.parametrize("key", ["s", "r", "p", "x", "U", "A", "C", "I", "P"])
async def test_read_only_refuses_every_action_before_anything_is_sent(key: str):
    engine = five()
    endpoint = replace_read_only(engine)
    async with opened(engine, choose=lambda: endpoint) as dashboard:
        await ready(dashboard)
        await dashboard.press(key)
        await dashboard.until_shown("read-only: nothing is changed")
        assert not [request for request in engine.requests if not request.startswith("GET")]


def replace_read_only(engine: ScriptedEngine) -> Any:
    return msgspec.structs.replace(engine.engine().endpoint, read_only=True)


def inspected(**host: Any) -> Container:
    config = {"Image": "app:1", "Cmd": ["run", "a b"], "Env": ["A=1"]}
    document = {"Id": "1" * 64, "Name": "/web", "Config": config, "HostConfig": host, "State": {"Running": True}}
    return decode(json.dumps(document).encode(), Container)


def filled(container: Container, **given: str) -> dict[str, str]:
    return {field.name: given.get(field.name, field.value) for field in recreate_fields(container)}


def test_a_form_shows_current_values_and_changes_only_what_differs():
    ports = {"80/tcp": [{"HostIp": "", "HostPort": "8080"}], "53/udp": [{"HostIp": "::1", "HostPort": "53"}]}
    container = inspected(Memory=64 << 20, PortBindings=ports, RestartPolicy={"Name": "always"})
    fields = {field.name: field.value for field in recreate_fields(container)}
    assert fields["command"] == "run 'a b'"
    assert (fields["ports"], fields["memory"], fields["restart"]) == ("8080:80 [::1]:53:53/udp", "64m", "always")
    assert recreate_changes(container, filled(container)) == recreate_changes(container, filled(container, env=""))
    same = recreate_changes(container, filled(container))
    assert (same.image, same.command, same.ports, dict(same.env), dict(same.host)) == (None, None, None, {}, {})
    changes = recreate_changes(
        container,
        filled(container, command="run 'c d'", env="B='x y' -A", ports="[::1]:53:53/udp", memory="1g", image="app:2"),
    )
    assert changes.image == "app:2"
    assert changes.command == ["run", "c d"]
    assert changes.env == {"B": "x y", "A": None}
    assert changes.ports == {"53/udp": [{"HostIp": "::1", "HostPort": "53"}]}
    assert changes.host == {"Memory": 1 << 30, "MemorySwap": 2 << 30}


@pytest.mark.parametrize(
    "given",
    [
        *({"env": "A"}, {"env": "'A"}, {"command": "'x"}, {"ports": "80:x"}, {"ports": "99999:80"}, {"memory": "x"}),
        *({"image": " "}, {"restart": "ever"}),
    ],
)
def test_invalid_values_in_a_form_are_refused(given: dict[str, str]):
    container = inspected()
    with pytest.raises(InvalidInput):
        recreate_changes(container, filled(container, **given))


async def test_the_palette_finds_commands_containers_and_views_by_a_few_letters():
    async with opened(five()) as dashboard:
        await ready(dashboard)
        await dashboard.press("ctrl+p")
        await dashboard.type("img")
        await dashboard.until_shown("view  2  images")
        await dashboard.press("enter")
        await dashboard.until_shown("Layers, newest first")
        await dashboard.press("q", "ctrl+p")
        await dashboard.type("ren")
        await dashboard.press("enter")
        await dashboard.until_shown(": rename")
        await dashboard.press("escape", "ctrl+p")
        await dashboard.type("zzzz")
        await dashboard.until_shown("no match")
        await dashboard.press("escape")


async def test_the_help_is_searched_by_words():
    async with opened(five()) as dashboard:
        await ready(dashboard)
        await dashboard.press("question_mark", "slash")
        await dashboard.type("undo recreate")
        await dashboard.until_shown("undo the last stop")
        assert "a debug shell in it" not in dashboard.text
        await dashboard.press("enter", "escape")
        await dashboard.until_shown("a debug shell in it")
        await dashboard.press("question_mark")
        assert "a debug shell in it" not in dashboard.text


async def test_a_user_command_asks_runs_and_shows_its_output():
    commands = (
        UserCommand(name="greet", key="f7", run="printf 'hi %s %s\\n' {name} {who}", prompts=("who",), where="pane"),
        UserCommand(name="gone", run="no-such-program {name}", where="pane", changes=False),
    )
    beginning = StartupState(settings=UserSettings(commands=commands, keys={"containers": {"stop": "f8"}}))
    engine = five()
    async with opened(engine, beginning=beginning) as dashboard:
        await ready(dashboard)
        await dashboard.press("f7")
        await dashboard.until_shown("who")
        await dashboard.type("$(id); you")
        await dashboard.press("enter")
        await dashboard.until_shown("hi a $(id); you")
        await dashboard.until(lambda: isinstance(dashboard.app.screen, Output) and dashboard.app.screen.code == 0)
        await dashboard.press("q", "colon")
        await dashboard.type("gone")
        await dashboard.press("enter")
        await dashboard.until_shown("there is no program no-such-program")
        await dashboard.press("q", "s")
        assert not [request for request in engine.requests if request.endswith("/stop")]
        await dashboard.press("f8")
        await dashboard.until_shown("stopped a")


async def test_it_starts_as_requested_and_keeps_its_state():
    beginning = StartupState(remembered=UiState(sort="name", running_only=True), filter="!left-out", view="im")
    engine = five()
    engine.add("left-out")
    async with opened(engine, beginning=beginning) as dashboard:
        await dashboard.until_shown("Layers, newest first")
        await dashboard.press("q")
        await dashboard.until(lambda: dashboard.shown == ["a", "b", "c", "d", "e"])
        await dashboard.press("o", "colon")
        await dashboard.type("theme light")
        await dashboard.press("enter")
        await dashboard.until_shown("theme light")
        await dashboard.press("q", "q")
    left = dashboard.app.ui_state
    assert (left.view, left.sort, left.running_only, left.theme) == ("containers", "project", True, "light")


async def test_without_utf8_everything_drawn_is_ascii_and_as_wide():
    engine = five()
    engine.add("wíde-漢字-\x1b[2J", health="unhealthy", emit=False)
    async with opened(engine, beginning=StartupState(ascii=True)) as dashboard:
        await dashboard.until_shown("wide-????-^[2J")
        assert dashboard.text.isascii()
        assert {len(line) for line in dashboard.text.split("\n")} == {120}
