"""The embedded engine as machines run it, with a recorder of how containers die: `python -m pyd_core.embedded`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence

LastOutput = Callable[[str], Sequence[tuple[int, bytes]] | None]


async def record(url: str, last_output: LastOutput) -> None:
    """Write down how an engine's containers die, until cancelled; not where that is off, or somebody does it already.

    Args:
        url: Where the engine listens.
        last_output: Returns what a removed container wrote last: joining its streams would be seen by others.
    """
    from pyd_core.client.connect import open_engine  # noqa: PLC0415 - once the engine listens
    from pyd_core.client.endpoint import Endpoint  # noqa: PLC0415 - as above
    from pyd_core.errors import Conflict  # noqa: PLC0415 - as above
    from pyd_core.watch.history_path import path_unless_off  # noqa: PLC0415 - as above
    from pyd_core.watch.history_store import HistoryStore  # noqa: PLC0415 - as above
    from pyd_core.watch.recorder import DeathRecorder  # noqa: PLC0415 - as above
    from pyd_core.watch.recorder_lock import RecorderLock  # noqa: PLC0415 - as above

    path = path_unless_off()
    if path is None:
        return
    try:
        claim = RecorderLock(path, url)
    except Conflict:
        return
    try:
        store = HistoryStore(path)
        try:
            async with open_engine(Endpoint(url=url)) as engine:
                problem = logging.getLogger("pyd.record").warning
                await DeathRecorder(engine, store, on_problem=problem, last_output=last_output).run()
        finally:
            store.close()
    finally:
        claim.close()


if __name__ == "__main__":
    from pyd_core.daemon.__main__ import main

    sys.exit(main(sidecar=record))
