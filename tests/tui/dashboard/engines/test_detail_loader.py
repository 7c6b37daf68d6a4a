"""Details that change while they are shown: followed until their end, or until they are out of sight."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

from pyd_tui.dashboard.render.pieces import Cell, cell
from pyd_tui.dashboard.resources.base import LoadContext, ResourceView, Row
from pyd_tui.dashboard.screens.browse import Browse
from support.dashboard import Opened, opened, three


class Progress:
    """Frames of a row's details, one for each `put`."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[str | None] = asyncio.Queue()
        self.begun: list[str] = []
        self.closed = 0

    def follow(self, context: LoadContext, row: Row) -> AsyncGenerator[list[Cell], None]:
        del context
        return self._follow(row)

    async def _follow(self, row: Row) -> AsyncGenerator[list[Cell], None]:
        self.begun.append(row.name)
        try:
            while (text := await self.frames.get()) is not None:
                yield [cell(text)]
        finally:
            self.closed += 1


async def followed(dashboard: Opened) -> tuple[Progress, Browse]:
    """Open the images, and follow their details from now on."""
    await dashboard.press("2")
    await dashboard.until_shown("Layers, newest first")
    screen = dashboard.app.screen
    assert isinstance(screen, Browse)
    progress = Progress()
    view: ResourceView = screen.resource
    screen._details._resource = replace(view, follow=progress.follow)
    screen._details.refresh()
    await dashboard.until(lambda: progress.begun)
    return progress, screen


async def test_details_change_without_a_key_and_the_rows_are_loaded_again_at_their_end():
    async with opened(three()) as dashboard:
        progress, screen = await followed(dashboard)
        progress.frames.put_nowait("step 1 of 2")
        await dashboard.until_shown("step 1 of 2")
        progress.frames.put_nowait("step 2 of 2")
        await dashboard.until_shown("step 2 of 2")
        rows = screen._rows
        progress.frames.put_nowait(None)
        await dashboard.until(lambda: screen._rows is not rows)
        await dashboard.until(lambda: len(progress.begun) == 2)  # the row still isn't at rest
        rows = screen._rows
        progress.frames.put_nowait(None)
        await dashboard.until(lambda: progress.closed == 2)
        await dashboard.at_rest(0.1)
        assert screen._rows is rows  # an engine can't make the view ask in a loop


async def test_another_row_ends_what_is_followed():
    async with opened(three()) as dashboard:
        progress, _ = await followed(dashboard)
        progress.frames.put_nowait("step 1 of 2")
        await dashboard.until_shown("step 1 of 2")
        await dashboard.press("down")
        await dashboard.until(lambda: len(progress.begun) == 2)
        await dashboard.until(lambda: progress.closed == 1)
        assert progress.begun[0] != progress.begun[1]
        await dashboard.press("up")
        await dashboard.until(lambda: len(progress.begun) == 3)
        assert progress.begun[2] == progress.begun[0]


async def test_the_end_of_the_screen_ends_what_is_followed():
    async with opened(three()) as dashboard:
        progress, screen = await followed(dashboard)
        progress.frames.put_nowait("step 1 of 2")
        await dashboard.until_shown("step 1 of 2")
        await dashboard.press("1")
        await dashboard.until(lambda: not screen.is_attached)
        progress.frames.put_nowait("step 2 of 2")
        await dashboard.until(lambda: progress.closed)
