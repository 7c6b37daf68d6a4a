"""Files and documents: several pictures of one dashboard each, since opening it is what takes time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.dashboard import opened
from support.scenes import in_sizes, work

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion


async def test_files_and_documents(picture: SnapshotAssertion):
    engine = work()
    async with opened(engine, size=(100, 30)) as dashboard:
        await dashboard.measured(engine)
        await dashboard.press("enter", "F")
        await dashboard.until_shown("5 entries")
        await dashboard.until_shown("~")
        await dashboard.press("G", "enter")
        await dashboard.until_shown("class Server")
        await in_sizes(dashboard, picture, "text")
        await dashboard.press("q", "k", "k", "enter")
        await dashboard.until_shown("binary")
        await in_sizes(dashboard, picture, "binary")
        await dashboard.press("q", "i", "slash")
        await dashboard.type("PASSWORD")
        await dashboard.press("enter")
        await in_sizes(dashboard, picture, "inspect")
        await dashboard.press("z")
        await in_sizes(dashboard, picture, "folded")
