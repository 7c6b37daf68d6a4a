"""The `pyd` command.

Everything heavy is imported by the verb that needs it, when it is called: `table` lists the verbs without importing
them, and a verb's module is loaded only for its own command line, help or completion.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Runs the command line and ends the process with its exit code."""
    gc.set_threshold(20_000, 20, 20)  # imports make objects by the thousand, and none of them is garbage
    try:
        if sys.argv[1:2] == ["debug"]:
            from pyd_tui.cli.ahead import start  # noqa: PLC0415 - no other verb has a use for it

            start()
        from pyd_tui.cli.entry import run  # noqa: PLC0415 - importing this package must cost nothing
    except KeyboardInterrupt:
        os._exit(130)  # whoever presses ctrl-c at once wants no traceback either
    run()
