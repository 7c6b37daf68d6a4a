"""The start of the app: engines are asked while the drawing libraries are loaded."""

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

SWITCH_INTERVAL_S = 0.0005
"""The interval at which loading yields to the event loop. By default it is ten times as long, for each answer of an
engine."""


async def run_dashboard(links: Sequence[EngineConnection], startup: StartupState, history: Path | None) -> Dashboard:
    """Open the dashboard, and return it when the user has left.

    Args:
        links: The connections to the engines, not started yet.
        startup: The settings and state to start with.
        history: The file that records deaths meanwhile; None records none.
    """
    for link in links:
        link.start()
    app_class = await asyncio.to_thread(_load)
    dashboard = app_class(links, startup=startup, history=history)
    await dashboard.run_async(mouse=startup.settings.mouse)
    return dashboard


def _load() -> type[Dashboard]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.disable()  # what is loaded now is never freed; collecting garbage in it costs a tenth of the time
    try:
        from pyd_tui.dashboard.app import Dashboard  # noqa: PLC0415 - this import takes the time
    finally:
        gc.freeze()
        gc.enable()
        sys.setswitchinterval(interval)
    return Dashboard
