"""The recording of deaths while the dashboard is open, unless a recorder runs already."""

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

SETUP_DELAY_S = 1.0
"""The delay after the first list: loading the rules earlier would hold up the first keys."""


async def record(link: EngineConnection, path: Path, on_problem: Callable[[str], None]) -> None:
    """Record deaths until cancelled, from what the connection watches already; return if another process records."""
    engine, watcher, stats = link.engine, link.watcher, link.stats
    if engine is None or watcher is None or stats is None:
        return
    await asyncio.sleep(SETUP_DELAY_S)
    try:
        claim, store = await asyncio.to_thread(_open, path, engine.endpoint.url)
    except Conflict:
        return
    except (PydError, OSError) as error:
        on_problem(f"deaths aren't recorded: {error}")
        return
    try:
        from pyd_core.watch.death_recorder import DeathRecorder  # noqa: PLC0415 - loaded by the thread above

        await DeathRecorder(engine, store, watcher=watcher, stats=stats, on_problem=on_problem).run()
    finally:
        store.close()
        claim.close()


def _open(path: Path, engine: str) -> tuple[RecorderLock, HistoryStore]:
    from pyd_core.watch import death_recorder  # noqa: F401, PLC0415 - with forty rules, off the event loop
    from pyd_core.watch.history_store import HistoryStore  # noqa: PLC0415 - as above
    from pyd_core.watch.recorder_lock import RecorderLock  # noqa: PLC0415 - as above

    claim = RecorderLock(path, engine)
    try:
        return claim, HistoryStore(path)
    except BaseException:
        claim.close()
        raise
