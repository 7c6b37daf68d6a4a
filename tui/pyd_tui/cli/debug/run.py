"""Running a `pyd debug` session whose options are known."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from pyd_tui.cli import prefork

if TYPE_CHECKING:
    from pyd_core.debug.options import DebugOptions
    from pyd_tui.console.global_options import State

NOT_EXECUTABLE = 126
NOT_FOUND = 127


def run_session(state: State, make_options: Callable[[], DebugOptions], *, record: str | None = None) -> int:
    """Run a session on this process's terminal or streams and return the exit code for the user's shell.

    Args:
        state: The global options.
        make_options: Returns the options of the session; called once its process has been started.
        record: The file to record the terminal to.
    """
    gc.disable()  # starting a session leaves no garbage; looking for some takes a tenth of the start
    supervisor = prefork.take_supervisor()  # it gets ready while the rest is loaded
    from pyd_core.debug.sessions.request import SessionRequest
    from pyd_core.debug.sessions.session import run
    from pyd_core.errors import PydError
    from pyd_tui.console import failures
    from pyd_tui.console.prompts import TerminalIO

    io = TerminalIO()
    try:
        options = make_options()
        request = SessionRequest(state.endpoint(), options)
        interactive = options.line is None and not options.command
        if options.shell == "pyd" and interactive and os.isatty(0) and os.isatty(1):
            from pyd_tui.cli import shell_entry  # a single command doesn't pay for the shell

            code = shell_entry.run_shell(request, supervisor, io, record=record)
        else:
            code = run(request, supervisor, io)
    except PydError as error:
        io.stop()
        failures.report(error)
        match error.reference:
            case "command-not-found":
                code = NOT_FOUND
            case "command-not-executable":
                code = NOT_EXECUTABLE
            case _:
                code = failures.exit_code(error, before_command=True)
    finally:
        io.stop()
        supervisor.close()
    return code
