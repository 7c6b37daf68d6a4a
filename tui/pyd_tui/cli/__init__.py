"""The `pyd` command line.

A command imports its dependencies when it is called: `command_table` lists all commands without importing them, and a
command's module is loaded only for its own command line, help or completion.
"""

from __future__ import annotations

import gc
import os
import sys

from pyd_core.linux.interpreter import drop_relative_search_paths

TYPE_CHECKING = False  # as type checkers know it; loading `typing` would delay the start of the session's process
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    gc.set_threshold(20_000, 20, 20)  # imports create thousands of objects, and none of them is garbage
    drop_relative_search_paths()
    try:
        work = (sys.argv[1:2] == ["debug"] and _debug_session(sys.argv[2:])) or _any_command()
        from pyd_tui.cli.process_exit import end_with
    except KeyboardInterrupt:
        os._exit(130)  # ctrl-c while pyd starts prints no traceback either
    end_with(work)


def _any_command() -> Callable[[], int]:
    _load_msgspec()
    if len(sys.argv) == 1 and "_PYD_COMPLETE" not in os.environ and os.isatty(0) and os.isatty(1):
        return _open_dashboard  # without click, which takes as long to load as a tenth of all it needs
    from pyd_tui.cli.entry import invoke

    return invoke


def _open_dashboard() -> int:
    from pyd_tui.cli.dashboard_entry import open_dashboard
    from pyd_tui.console.global_options import State

    open_dashboard(State())
    return 0


def _debug_session(arguments: list[str]) -> Callable[[], int] | None:
    """Start the session's process before anything is loaded; return the session if the fast path reads its options."""
    from pyd_tui.cli.debug.fastpath import read
    from pyd_tui.cli.prefork import start

    options = None if "_PYD_COMPLETE" in os.environ else read(arguments)
    start(certain=options is not None)
    if options is None:
        return None
    _load_msgspec()
    from pyd_tui.cli.debug.run import run_session
    from pyd_tui.console.global_options import State

    return lambda: run_session(State(), options.debug_options)


def _load_msgspec() -> None:
    """Load msgspec without typing_extensions, from which it takes three names if it can, and else from `typing`.

    typing_extensions, with the `inspect` it loads, costs as much as all the rest of msgspec.
    """
    if "typing_extensions" in sys.modules:
        return
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]
    try:
        import msgspec  # noqa: F401 - loaded for the modules that import it later
    finally:
        del sys.modules["typing_extensions"]
