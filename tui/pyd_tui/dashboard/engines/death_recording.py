"""Writing down how containers die while the dashboard is open, unless a recorder does that already."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pyd_core.errors import Conflict, PydError

if TYPE_CHECKING:
    from pyd_core.watch.history_store import HistoryStore
    from pyd_core.watch.recorder_lock import RecorderLock
    from pyd_tui.dashboard.engines.connection import EngineConnection

PATIENCE = 1.0
"""Seconds from the first list until recording is set up: loading its rules would hold up the keys typed first."""


async def record(link: EngineConnection, path: Path, problem: Callable[[str], None]) -> None:
    """Records until cancelled, on what the link knows and measures anyway; returns when somebody else records."""
    engine, fleet, meter = link.engine, link.fleet, link.meter
    if engine is None or fleet is None or meter is None:
        return
    await asyncio.sleep(PATIENCE)
    try:
        claim, store = await asyncio.to_thread(_open, path, engine.endpoint.url)
    except Conflict:
        return
    except (PydError, OSError) as error:
        problem(f"deaths aren't recorded: {error}")
        return
    try:
        from pyd_core.watch.recorder import DeathRecorder  # noqa: PLC0415 - loaded by the thread above

        await DeathRecorder(engine, store, watcher=fleet, stats=meter, on_problem=problem).run()
    finally:
        store.close()
        claim.close()


def _open(path: Path, engine: str) -> tuple[RecorderLock, HistoryStore]:
    from pyd_core.watch import recorder  # noqa: F401, PLC0415 - with forty rules, off the event loop
    from pyd_core.watch.history_store import HistoryStore  # noqa: PLC0415 - as above
    from pyd_core.watch.recorder_lock import RecorderLock  # noqa: PLC0415 - as above

    claim = RecorderLock(path, engine)
    try:
        return claim, HistoryStore(path)
    except BaseException:
        claim.close()
        raise
