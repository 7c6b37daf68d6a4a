"""The start of the dashboard, with a first frame before the drawing libraries are loaded.

Loading them takes a quarter of a second on a small machine. The app then paints over this frame.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pyd_tui.dashboard.startup.locale import utf8
from pyd_tui.dashboard.startup.startup_state import CliOverrides, load_startup_state

if TYPE_CHECKING:
    from pathlib import Path

    from pyd_core.client.endpoint import Endpoint

ALTERNATE = "\x1b[?1049h\x1b[?25l"
"""Alternate screen, no cursor (xterm control sequences, DECSET 1049 and DECRST 25)."""
RESTORE = "\x1b[?1049l\x1b[?25h"


def frame(columns: int, lines: int, *, coloured: bool, ascii: bool = False) -> str:
    """Return the first frame: the top line and the background, in the colours that the app starts with."""
    top, ground, accent = ("\x1b[48;5;235m", "\x1b[48;5;233m", "\x1b[1;38;5;75m") if coloured else ("", "", "\x1b[1m")
    notice = "connecting ..." if ascii else "connecting…"
    middle = f"\x1b[{max(2, lines // 3)};{max(1, (columns - len(notice)) // 2)}H\x1b[2m{notice}"
    return f"{ALTERNATE}{ground}\x1b[2J\x1b[H{top}{accent} pyd\x1b[22m\x1b[K\x1b[0m{ground}{middle}\x1b[0m"


def run(
    engines: Mapping[str, Callable[[], Endpoint]], overrides: CliOverrides | None = None, *, history: Path | None = None
) -> None:
    """Open the dashboard on one engine or several, and return when the user leaves.

    Args:
        engines: The user's name of each, and a function that returns its address; the first is the current one.
        overrides: The command line's options.
        history: The file that records deaths meanwhile; None records none.

    Raises:
        Exception: A bug in the dashboard; the terminal is restored by then.
    """
    columns, lines = shutil.get_terminal_size()
    startup = load_startup_state(overrides, utf8=utf8())
    light = os.environ.get("COLORFGBG", "").endswith((";7", ";15"))
    unknown = startup.theme == "auto" and not light and "256" in os.environ.get("TERM", "")
    dark = startup.theme == "dark" or unknown
    first_frame = frame(columns, lines, coloured=dark and not os.environ.get("NO_COLOR"), ascii=startup.ascii)
    try:
        sys.stdout.write(first_frame)
        sys.stdout.flush()
        import asyncio  # noqa: PLC0415 - after the first frame

        from pyd_tui.dashboard.engines.connection import EngineConnection  # noqa: PLC0415 - after the first frame
        from pyd_tui.dashboard.startup.bootstrap import run_dashboard  # noqa: PLC0415 - after the first frame

        links = [EngineConnection(choose, name=name) for name, choose in engines.items()]
        dashboard = asyncio.run(run_dashboard(links, startup, history))
    except BaseException:  # where the app had the terminal already, this repeats its reset
        sys.stdout.write(RESTORE)
        sys.stdout.flush()
        raise
    startup.keep(dashboard.ui_state)
    if dashboard.bug is not None:
        raise dashboard.bug
