"""The playground of `pyd demo`, for an engine that has no container yet."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from pyd_core.client.provider import engine_of
from pyd_tui.dashboard.render.figures import counted

if TYPE_CHECKING:
    from pyd_tui.dashboard.engines.connection import EngineConnection
    from pyd_tui.dashboard.protocols import ActionHost

_JOB = "demo"


def start_demo(dashboard: ActionHost, link: EngineConnection) -> None:
    """Bring the playground up on an engine, once, and show how to remove it."""
    if link.engine is None or _JOB in dashboard.jobs or not dashboard.may_change(link):
        return
    dashboard.tasks.start(_bring_up(dashboard, link), name="playground")


async def _bring_up(dashboard: ActionHost, link: EngineConnection) -> None:
    from pyd_core.demo.playground import bring_up  # noqa: PLC0415 - used once per engine

    if link.engine is None:
        return
    dashboard.jobs.update(_JOB)
    try:
        parts = await bring_up(engine_of(link.engine), platform.machine())
    finally:
        dashboard.jobs.end(_JOB)
    dashboard.say(f"brought up {counted(len(parts), 'container')}", "good", "pyd demo down removes them")
