"""Dialogs by mouse alone."""

from __future__ import annotations

from pyd_tui.dashboard.input.key_bindings import Keys
from pyd_tui.dashboard.render.pieces import Span
from pyd_tui.dashboard.screens.detail import Detail
from pyd_tui.dashboard.screens.dialog import hint_at
from pyd_tui.dashboard.screens.palette import CommandPalette
from support.dashboard import Opened, opened, three
from support.scripted_engine import ScriptedEngine


def changes(engine: ScriptedEngine) -> list[str]:
    return [request.rpartition("/")[2] for request in engine.requests if not request.startswith("GET")]


async def click(dashboard: Opened, text: str, *, last: bool = False) -> None:
    """Click a text, the first or the last on the screen."""
    await dashboard.until_shown(text)
    lines = dashboard.text.split("\n")
    rows = [y for y, line in enumerate(lines) if text in line]
    y = rows[-1 if last else 0]
    await dashboard.pilot.click(offset=(lines[y].index(text), y))
    await dashboard.pilot.pause()


async def test_a_question_is_answered_by_a_click():
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.press("r")
        await click(dashboard, "n no")
        await dashboard.until(lambda: "Restart db?" not in dashboard.text)
        assert changes(engine) == []
        await dashboard.press("r")
        await dashboard.until_shown("Restart db?")
        await click(dashboard, "Restart db?")
        assert "Restart db?" in dashboard.text, "only the keys take clicks"
        await click(dashboard, "y yes")
        await dashboard.until(lambda: changes(engine) == ["restart"])


async def test_a_form_is_filled_and_applied_with_clicks():
    engine = three()
    async with opened(engine) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.press("U")
        await click(dashboard, "cpus ")
        await dashboard.type("1.5")
        await click(dashboard, "enter apply")
        await dashboard.until(lambda: changes(engine) == ["update"])


async def test_a_match_of_the_palette_is_chosen_by_a_click_and_a_click_outside_closes_it():
    async with opened(three()) as dashboard:
        await dashboard.until(lambda: len(dashboard.shown) == 3)
        await dashboard.press("ctrl+p")
        await dashboard.type("job")
        await click(dashboard, "container", last=True)
        await dashboard.until(lambda: isinstance(dashboard.app.screen, Detail))
        await dashboard.press("q", "ctrl+p")
        await dashboard.until(lambda: isinstance(dashboard.app.screen, CommandPalette))
        await dashboard.pilot.click(offset=(2, 30))
        await dashboard.until(lambda: not isinstance(dashboard.app.screen, CommandPalette))


def test_only_a_key_and_its_label_take_a_click():
    keys = Keys().of("ask")
    line = (Span("y", "bad"), Span(" yes"), Span("   "), Span("n", "accent"), Span(" no"))
    assert [key.name if (key := hint_at(line, x, keys)) else "" for x in (0, 3, 5, 8, 9, 12, 40)] == [
        *("yes", "yes", "", "no", "no", "", "")
    ]
