"""Every dialog, question and prompt, in every size."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from pyd_tui.config.settings import UserCommand, UserSettings
from pyd_tui.dashboard.startup.startup_state import StartupState
from support.dashboard import opened
from support.scenes import everything, in_sizes

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion


class Dialog(NamedTuple):
    """Keys, then a text, then keys again that lead to it, and what it says."""

    name: str
    keys: tuple[str, ...]
    text: str = ""
    more: tuple[str, ...] = ()
    shown: str = ""


DIALOGS = (
    Dialog("filter", ("slash",), "shop !web"),
    Dialog("confirm", ("j", "space", "space", "space", "x"), shown="3 containers"),
    Dialog("kill", ("asterisk", "colon"), "kill HUP", ("enter",), "7 containers"),
    Dialog("limits", ("U",), shown="Limits of"),
    Dialog("again", ("A",), shown=":accept deletes it"),
    Dialog("commit", ("C",), shown="to an image"),
    Dialog("export", ("colon",), "export", ("enter",), "as a tar"),
    Dialog("own", ("f7",), shown="port"),
    Dialog("rename", ("colon",), "rename ", shown="give it a new name"),
    Dialog("command", ("colon",), "ima"),
    Dialog("compose", ("colon",), "compose ", shown="up|"),
    Dialog("usage", ("colon",), "update ", shown="update"),
    Dialog("palette", ("ctrl+p",), "sho", shown="shop"),
    Dialog("menu", ("full_stop",), shown="what is wrong with it"),
    Dialog("help", ("question_mark",), shown="Containers"),
    Dialog("search", ("question_mark", "slash"), "mark"),
    Dialog("report", ("asterisk", "colon"), "update pids=100", ("enter", "y"), "of 11 failed"),
    Dialog("prune", ("2", "P"), shown="unused images"),
)


async def test_sizes(picture: SnapshotAssertion):
    engine = everything()
    engine.refusals[f"POST /containers/{engine.get('traefik').id}/update"] = (500, "device or resource busy")
    commands = (
        UserCommand(name="tunnel", key="f7", run="ssh {name}", help="a tunnel to it", prompts=("port",)),
        UserCommand(name="say", key="f8", run=f"{sys.executable} -c print('done')", help="says something"),
    )
    beginning = StartupState(settings=UserSettings(commands=commands))
    async with opened(engine, beginning=beginning) as dashboard:
        await dashboard.measured(engine)
        for dialog in DIALOGS:
            await dashboard.resize(120, 40)
            await dashboard.press(*dialog.keys)
            await dashboard.type(dialog.text)
            await dashboard.press(*dialog.more)
            await dashboard.until_shown(dialog.shown)
            if dialog.name == "export":
                await dashboard.press("ctrl+u")
                await dashboard.type("/tmp")
            await dashboard.settled(engine)
            await in_sizes(dashboard, picture, dialog.name, sizes=((120, 40), (60, 20)))
            while dashboard.app.screen is not dashboard.app.screen_stack[0] or dashboard.table.marked:
                await dashboard.press("escape")
            await dashboard.press("escape", "g")
