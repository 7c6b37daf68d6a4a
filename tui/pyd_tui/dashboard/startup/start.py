"""Opening the dashboard: something is on the screen before the libraries that draw it are loaded.

Loading them takes a quarter of a second on a small machine. The frame painted here is the one that the app paints over.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pyd_tui.dashboard.startup.locale import utf8
from pyd_tui.dashboard.startup.startup_state import CliOverrides, begin

if TYPE_CHECKING:
    from pathlib import Path

    from pyd_core.client.endpoint import Endpoint

ALTERNATE = "\x1b[?1049h\x1b[?25l"
"""Alternate screen, no cursor (xterm control sequences, DECSET 1049 and DECRST 25)."""
RESTORE = "\x1b[?1049l\x1b[?25h"


def frame(columns: int, lines: int, *, coloured: bool, ascii: bool = False) -> str:
    """Returns what to write for the first picture: the top line and the ground, in the colours the app begins with."""
    top, ground, accent = ("\x1b[48;5;235m", "\x1b[48;5;233m", "\x1b[1;38;5;75m") if coloured else ("", "", "\x1b[1m")
    notice = "connecting ..." if ascii else "connecting …"
    middle = f"\x1b[{max(2, lines // 3)};{max(1, (columns - len(notice)) // 2)}H\x1b[2m{notice}"
    return f"{ALTERNATE}{ground}\x1b[2J\x1b[H{top}{accent} pyd\x1b[22m\x1b[K\x1b[0m{ground}{middle}\x1b[0m"


def run(
    engines: Mapping[str, Callable[[], Endpoint]], wishes: CliOverrides | None = None, *, history: Path | None = None
) -> None:
    """Opens the dashboard on one engine or several, and returns when the user leaves.

    Args:
        engines: What the user calls each, and what finds its address; the first one is looked at.
        wishes: What the command line asks for.
        history: Where deaths are written down meanwhile; None is nowhere.

    Raises:
        Exception: A bug in the dashboard; the terminal is restored by then.
    """
    columns, lines = shutil.get_terminal_size()
    beginning = begin(wishes, utf8=utf8())
    light = os.environ.get("COLORFGBG", "").endswith((";7", ";15"))
    unknown = beginning.theme == "auto" and not light and "256" in os.environ.get("TERM", "")
    dark = beginning.theme == "dark" or unknown
    picture = frame(columns, lines, coloured=dark and not os.environ.get("NO_COLOR"), ascii=beginning.ascii)
    try:
        sys.stdout.write(picture)
        sys.stdout.flush()
        import asyncio  # noqa: PLC0415 - after the first picture

        from pyd_tui.dashboard.engines.connection import EngineConnection  # noqa: PLC0415 - as above
        from pyd_tui.dashboard.startup.bootstrap import opened  # noqa: PLC0415 - as above

        links = [EngineConnection(choose, name=name) for name, choose in engines.items()]
        dashboard = asyncio.run(opened(links, beginning, history))
    except BaseException:  # where the app had the terminal already, this says again what it has said
        sys.stdout.write(RESTORE)
        sys.stdout.flush()
        raise
    beginning.keep(dashboard.left)
    if dashboard.bug is not None:
        raise dashboard.bug
