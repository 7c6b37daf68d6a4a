"""Interruptions of containers ask first or can be undone, and nothing destructive is preselected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyd_tui.config.settings import Confirmation, UserSettings
from pyd_tui.dashboard.input.commands import COMMANDS
from pyd_tui.dashboard.screens.menu import Menu
from pyd_tui.dashboard.screens.palette import CommandPalette
from pyd_tui.dashboard.startup.startup_state import StartupState
from support.dashboard import Opened, opened, three
from support.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from pyd_tui.dashboard.screens.menu import MenuEntry


def changes(engine: ScriptedEngine) -> list[str]:
    return [request.rpartition("/")[2] for request in engine.requests if not request.startswith("GET")]


def settings(confirm: Confirmation = "undo", *, confirm_quit: bool = True) -> StartupState:
    return StartupState(settings=UserSettings(confirm=confirm, confirm_quit=confirm_quit))


async def ready(dashboard: Opened) -> None:
    await dashboard.until(lambda: len(dashboard.shown) == 3 and dashboard.table.was_seen)


async def test_a_stop_is_undone_by_a_key_that_the_bar_shows():
    engine = three()
    async with opened(engine) as dashboard:
        await ready(dashboard)
        await dashboard.press("s")
        await dashboard.until_shown("stopped db  u starts it again")
        await dashboard.press("j")
        await dashboard.until_shown("u starts it again")
        await dashboard.press("u")
        await dashboard.until(lambda: changes(engine) == ["stop", "start"])
        await dashboard.until(lambda: "starts it again" not in dashboard.text)


async def test_the_offer_to_undo_ends():
    engine = three()
    async with opened(engine) as dashboard:
        await ready(dashboard)
        await dashboard.press("p")
        await dashboard.until_shown("paused db  u resumes it")
        dashboard.app.undo_bar.withdraw()  # what the timer does
        await dashboard.press("u")
        await dashboard.until_shown("nothing to undo")
        assert changes(engine) == ["pause"]


@pytest.mark.parametrize(("key", "question"), [("r", "Restart db?"), ("I", "Pull postgres:16?")])
async def test_what_no_key_undoes_asks(key: str, question: str):
    engine = three()
    async with opened(engine) as dashboard:
        await ready(dashboard)
        await dashboard.press(key)
        await dashboard.until_shown(question)
        await dashboard.press("enter", "n")
        assert changes(engine) == []


@pytest.mark.parametrize(("key", "verb"), [("s", "stop"), ("p", "pause"), ("r", "restart")])
@pytest.mark.parametrize("confirm", ["ask", "never"])
async def test_the_settings_say_when_to_ask(confirm: Confirmation, key: str, verb: str):
    engine = three()
    async with opened(engine, beginning=settings(confirm)) as dashboard:
        await ready(dashboard)
        await dashboard.press(key)
        if confirm == "ask":
            await dashboard.until_shown(f"{verb.capitalize()} db?")
            assert changes(engine) == []
            await dashboard.press("y")
        await dashboard.until(lambda: changes(engine) == [verb])


async def test_the_same_key_stops_in_the_log_of_a_container_and_follows_in_none():
    engine = three()
    async with opened(engine, beginning=settings("ask")) as dashboard:
        await ready(dashboard)
        await dashboard.press("enter", "2", "s")
        await dashboard.until_shown("Stop db?")
        await dashboard.press("n", "escape", "l")
        await dashboard.until_shown("Logs")
        await dashboard.press("s", "r", "p", "x")
        await dashboard.press("escape")
        assert changes(engine) == []


async def test_a_stopped_container_is_started_and_never_said_to_be_stopped():
    engine = three()
    async with opened(engine) as dashboard:
        await ready(dashboard)
        await dashboard.press("G")
        await dashboard.until(lambda: dashboard.cursor == "job")
        await dashboard.until_shown("r start")
        assert "s stop" not in dashboard.text
        await dashboard.press("s")
        assert dashboard.message == "job isn't running  r starts it"
        await dashboard.press("r")
        await dashboard.until(lambda: changes(engine) == ["start"])


async def test_pause_and_resume_are_reported_as_what_they_are():
    engine = three()
    async with opened(engine) as dashboard:
        await ready(dashboard)
        await dashboard.press("p")
        await dashboard.until_shown("paused db")
        await dashboard.until(lambda: dashboard.app.link.containers[engine.get("db").id].state == "paused")
        await dashboard.press("p")
        await dashboard.until_shown("resumed db")
        assert changes(engine) == ["pause", "unpause"]


async def test_the_empty_palette_preselects_nothing_destructive():
    engine = three()
    async with opened(engine) as dashboard:
        await ready(dashboard)
        await dashboard.press("ctrl+p")
        await dashboard.until_shown("images")
        palette = dashboard.app.screen
        assert isinstance(palette, CommandPalette)
        names = [name for name, _ in palette.matches]
        assert names[:2] == ["containers", "images"]
        assert palette.index == 0
        await dashboard.press("enter")
        await dashboard.pilot.pause()
        assert changes(engine) == []


@pytest.mark.parametrize("name", [name for name, command in COMMANDS.items() if command.destructive])
async def test_the_palette_selects_a_destructive_command_only_once_it_is_typed_in_full(name: str):
    async with opened(three()) as dashboard:
        await ready(dashboard)
        await dashboard.press("ctrl+p")
        palette = dashboard.app.screen
        assert isinstance(palette, CommandPalette)
        await dashboard.type(name[:2])
        await dashboard.until(lambda: palette._prompt.text == name[:2])
        await dashboard.pilot.pause()
        assert palette.index < 0 or palette.matches[palette.index][1].safe
        await dashboard.type(name[2:])
        await dashboard.until(lambda: palette.index >= 0 and palette.matches[palette.index][0] == name)


async def test_quitting_takes_two_presses_in_a_row():
    async with opened(three()) as dashboard:
        await ready(dashboard)
        await dashboard.press("q")
        assert dashboard.message == "press q again to quit"
        await dashboard.press("j", "q", "ctrl+p", "escape", "ctrl+c")
        assert dashboard.message == "press ^c again to quit"
        assert dashboard.app.is_running
        await dashboard.press("ctrl+c")
        assert not dashboard.app.is_running


async def test_the_settings_let_one_press_quit():
    async with opened(three(), beginning=settings(confirm_quit=False)) as dashboard:
        await ready(dashboard)
        await dashboard.press("q")
        assert not dashboard.app.is_running


def entries(dashboard: Opened) -> list[MenuEntry]:
    menu = dashboard.app.screen
    assert isinstance(menu, Menu)
    return [*menu.entries]


async def test_the_menu_has_what_the_container_allows_and_its_keys_work():
    engine = three()
    async with opened(engine) as dashboard:
        await ready(dashboard)
        await dashboard.press("full_stop")
        running = {entry.text: entry.key for entry in entries(dashboard)}
        assert running["stop it"] == "s"
        assert "start it" not in running
        menu = dashboard.app.screen
        assert isinstance(menu, Menu)
        assert not menu.entries[menu.index].destructive
        await dashboard.press("escape", "G", "full_stop")
        stopped = {entry.text: entry.key for entry in entries(dashboard)}
        assert stopped["start it"] == "r"
        assert not {"stop it", "pause it", "its own shell"} & set(stopped)
        await dashboard.press("r")
        await dashboard.until(lambda: changes(engine) == ["start"])


async def test_the_menu_of_marked_containers_asks_once_for_all():
    engine = three()
    async with opened(engine) as dashboard:
        await ready(dashboard)
        await dashboard.press("space", "space")
        await dashboard.until_shown("◆ 2 marked")
        await dashboard.press("full_stop")
        assert "details" not in [entry.text for entry in entries(dashboard)]
        await dashboard.press("s")
        await dashboard.until_shown("Stop 2 containers?")


@pytest.mark.parametrize("command", ["rename ", "kill ", "compose "])
async def test_the_command_line_shows_the_syntax_of_the_command_that_a_key_typed(command: str):
    key = {"rename ": "R", "kill ": "K", "compose ": "Y"}[command]
    async with opened(three()) as dashboard:
        await ready(dashboard)
        await dashboard.press("colon")
        await dashboard.type("undo")
        await dashboard.press("escape", key)
        await dashboard.until_shown(f": {command}")
        assert COMMANDS[command.strip()].help in dashboard.text
        assert "restore the recreated" not in dashboard.text
        assert ("USR1" in dashboard.text) == (command == "kill ")


@pytest.mark.parametrize(("width", "keys"), [(120, "!wS^?"), (200, "!wS^?:"), (80, "!?")])
async def test_the_footer_names_what_matters_most_at_every_width(width: int, keys: str):
    async with opened(three(), size=(width, 40)) as dashboard:
        await ready(dashboard)
        footer = dashboard.text.split("\n")[-1]
        labels = {"!": "! broken", "w": "w why", "S": "S search logs", "^": "^p go to", "?": "? help", ":": ": command"}
        assert [key for key in keys if labels[key] not in footer] == []


async def test_help_starts_with_the_keys_of_the_screen_that_it_was_asked_on():
    async with opened(three()) as dashboard:
        await ready(dashboard)
        await dashboard.press("l")
        await dashboard.until_shown("Logs")
        await dashboard.press("question_mark")
        await dashboard.until_shown("keys and commands".capitalize())
        lines = dashboard.text.split("\n")
        assert lines[2].split()[0] == "Logs"
        assert "^d page down" in lines[-1]
