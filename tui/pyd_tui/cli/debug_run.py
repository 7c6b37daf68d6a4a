"""Carrying a `pyd debug` out once it is known what it asks for."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING, Any

from pyd_tui.cli import prefork

if TYPE_CHECKING:
    from pyd_tui.cli.global_options import State

NOT_EXECUTABLE = 126
NOT_FOUND = 127


def enter(state: State, given: dict[str, Any], *, record: str | None = None) -> int:
    """Runs a session on this process's terminal or streams and returns the exit code for the user's shell.

    Args:
        state: The global options.
        given: What `DebugOptions` are made of.
        record: Where to keep what the terminal shows.
    """
    gc.disable()  # nothing that starts a session is garbage; looking for some takes a tenth of the start
    supervisor = prefork.supervisor()  # it gets ready while the rest is loaded
    from pyd_core.debug.options import DebugOptions  # noqa: PLC0415
    from pyd_core.debug.session import run  # noqa: PLC0415
    from pyd_core.errors import PydError  # noqa: PLC0415
    from pyd_tui.console import failures  # noqa: PLC0415
    from pyd_tui.console.prompts import ProgressReporter, answer, notify  # noqa: PLC0415

    progress = ProgressReporter()
    try:
        options = DebugOptions(**given)
        alone = options.line is None and not options.command
        if options.shell == "pyd" and alone and os.isatty(0) and os.isatty(1):
            from pyd_tui.shell.shell_runner import run_shell  # noqa: PLC0415 - a single command doesn't pay for it

            code = run_shell(
                state.endpoint(), options, supervisor, notify=notify, progress=progress, ask=answer, record=record
            )
        else:
            code = run(state.endpoint(), options, supervisor, notify=notify, progress=progress, ask=answer)
    except PydError as error:
        progress.stop()
        failures.report(error)
        match error.reference:
            case "command-not-found":
                code = NOT_FOUND
            case "command-not-executable":
                code = NOT_EXECUTABLE
            case _:
                code = failures.exit_code(error, before_command=True)
    finally:
        progress.stop()
        supervisor.close()
    return code
