"""From the first picture to the app: the engines are asked what there is while the libraries that draw are loaded."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pyd_tui.dashboard.app import Dashboard
    from pyd_tui.dashboard.engines.connection import EngineConnection
    from pyd_tui.dashboard.startup.startup_state import StartupState

TURN = 0.0005
"""Seconds after which loading lets the event loop have its turn; by default that would be ten times as long, each time
an engine has answered something."""


async def opened(links: Sequence[EngineConnection], beginning: StartupState, history: Path | None) -> Dashboard:
    """Opens the dashboard, and returns it when the user has left.

    Args:
        links: The lines to the engines, not started yet.
        beginning: What it begins with.
        history: Where deaths are written down meanwhile; None is nowhere.
    """
    for link in links:
        link.start()
    kind = await asyncio.to_thread(_load)
    dashboard = kind(links, beginning=beginning, history=history)
    await dashboard.run_async(mouse=beginning.settings.mouse)
    return dashboard


def _load() -> type[Dashboard]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(TURN)
    gc.disable()  # what is loaded now stays for ever; looking through it for garbage costs a tenth of the time
    try:
        from pyd_tui.dashboard.app import Dashboard  # noqa: PLC0415 - it is what takes its time
    finally:
        gc.freeze()
        gc.enable()
        sys.setswitchinterval(interval)
    return Dashboard
