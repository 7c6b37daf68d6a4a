"""Every theme on the list, a detail, curves, a log, a dialog and a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyd_tui.dashboard.panels.footer import Footer
from pyd_tui.dashboard.screens.logs import LogScreen
from pyd_tui.dashboard.theme.themes import PALETTES, PREFIX
from support.dashboard import Opened, opened
from support.scenes import everything

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion


async def in_themes(dashboard: Opened, picture: SnapshotAssertion, name: str) -> None:
    for palette in PALETTES:
        dashboard.app.set_theme(palette.removeprefix(PREFIX))
        for footer in dashboard.app.screen.query(Footer):
            footer.clear()
        await dashboard.at_rest(0.1)
        assert dashboard.svg == picture(name=f"{palette}-{name}")


async def test_themes(picture: SnapshotAssertion):
    engine = everything()
    async with opened(engine, size=(100, 30)) as dashboard:
        await dashboard.measured(engine)
        await dashboard.press("j", "space", "k")
        await dashboard.settled(engine)
        await in_themes(dashboard, picture, "list")
        await dashboard.press("x")
        await in_themes(dashboard, picture, "dialog")
        await dashboard.press("n", "escape", "enter")
        await dashboard.until_shown("Process")
        await in_themes(dashboard, picture, "detail")
        await dashboard.press("F")
        await dashboard.until_shown("~")
        await dashboard.press("G", "enter")
        await dashboard.until_shown("class Server")
        await in_themes(dashboard, picture, "file")
        await dashboard.press("q", "q", "g", "l")
        await dashboard.until(lambda: isinstance(dashboard.app.screen, LogScreen))
        await dashboard.until_shown("following")
        await dashboard.press("slash")
        await dashboard.type("items")
        await dashboard.press("enter", "J")
        await in_themes(dashboard, picture, "log")
