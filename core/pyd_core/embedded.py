"""The embedded engine as a service, with a recorder of container deaths: `python -m pyd_core.embedded`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence

LastOutput = Callable[[str], Sequence[tuple[int, bytes]] | None]


async def record(url: str, last_output: LastOutput) -> None:
    """Record the deaths of an engine's containers until cancelled.

    Return at once if recording is off or another process records this engine already.

    Args:
        url: Where the engine listens.
        last_output: Returns the last output of a removed container: attaching would be visible to other clients.
    """
    from pyd_core.client.connect import open_engine  # noqa: PLC0415 - loaded once the engine listens
    from pyd_core.client.endpoint import Endpoint  # noqa: PLC0415 - as above
    from pyd_core.errors import Conflict  # noqa: PLC0415 - as above
    from pyd_core.watch.death_recorder import DeathRecorder  # noqa: PLC0415 - as above
    from pyd_core.watch.history_path import path_unless_off  # noqa: PLC0415 - as above
    from pyd_core.watch.history_store import HistoryStore  # noqa: PLC0415 - as above
    from pyd_core.watch.recorder_lock import RecorderLock  # noqa: PLC0415 - as above

    path = path_unless_off()
    if path is None:
        return
    try:
        lock = RecorderLock(path, url)
    except Conflict:
        return
    try:
        store = HistoryStore(path)
        try:
            async with open_engine(Endpoint(url=url)) as engine:
                on_problem = logging.getLogger("pyd.record").warning
                await DeathRecorder(engine, store, on_problem=on_problem, last_output=last_output).run()
        finally:
            store.close()
    finally:
        lock.close()


if __name__ == "__main__":
    from pyd_core.daemon.__main__ import main

    sys.exit(main(sidecar=record))
