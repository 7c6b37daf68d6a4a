"""The `pyd` command.

Everything heavy is imported by the verb that needs it, when it is called: `table` lists the verbs without importing
them, and a verb's module is loaded only for its own command line, help or completion.
"""

from __future__ import annotations

import gc
import os
import sys

from pyd_core.linux.interpreter import drop_relative_search_paths

TYPE_CHECKING = False  # as type checkers know it; loading `typing` would keep the session's process waiting
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn


def main() -> NoReturn:
    """Runs the command line and ends the process with its exit code."""
    gc.set_threshold(20_000, 20, 20)  # imports make objects by the thousand, and none of them is garbage
    drop_relative_search_paths()
    try:
        work = (sys.argv[1:2] == ["debug"] and _session(sys.argv[2:])) or _any_verb()
        from pyd_tui.cli.process_exit import end_with  # noqa: PLC0415 - importing this package must cost nothing
    except KeyboardInterrupt:
        os._exit(130)  # whoever presses ctrl-c at once wants no traceback either
    end_with(work)


def _any_verb() -> Callable[[], int]:
    _load_msgspec()
    from pyd_tui.cli.entry import invoke  # noqa: PLC0415 - likewise

    return invoke


def _session(arguments: list[str]) -> Callable[[], int] | None:
    """Has the session's process start before anything is loaded; returns the session where its line is plain."""
    from pyd_tui.cli.debug_fastpath import read  # noqa: PLC0415
    from pyd_tui.cli.prefork import start  # noqa: PLC0415 - no other verb has a use for these

    given = None if "_PYD_COMPLETE" in os.environ else read(arguments)
    start(certain=given is not None)
    if given is None:
        return None
    _load_msgspec()
    from pyd_tui.cli.debug_run import enter  # noqa: PLC0415
    from pyd_tui.cli.global_options import State  # noqa: PLC0415

    return lambda: enter(State(), given)


def _load_msgspec() -> None:
    """Loads it without typing_extensions, from which it takes three names if it can and from `typing` if it can't.

    That and the `inspect` it loads cost as much as all the rest of msgspec.
    """
    if "typing_extensions" in sys.modules:
        return
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]
    try:
        import msgspec  # noqa: F401, PLC0415
    finally:
        del sys.modules["typing_extensions"]
