"""What holds for every verb: usable streams before it, and its outcome as the process's end."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from pyd_tui.console import failures


def end_with(work: Callable[[], int]) -> NoReturn:
    """Runs a verb and ends the process with the exit code it returns; no traceback ever reaches the user."""
    _open_streams()
    code = 0
    try:
        code = work()
        sys.stdout.flush()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else failures.FAILED
    except BaseException as error:  # noqa: BLE001 - the last handler there is
        failures.report(error)
        code = failures.exit_code(error)
        if isinstance(error, KeyboardInterrupt) and sys.stderr.isatty():
            sys.stderr.write("\n")  # the terminal has echoed ^C, and the prompt comes next
    _exit(code)


def _open_streams() -> None:
    """Makes the standard streams usable whatever the caller left of them, so that no write can fail for its text."""
    for fd, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller; a file opened later must not become it
            os.open(os.devnull, os.O_RDWR)  # the lowest free descriptor, which is this one
            setattr(sys, name, os.fdopen(fd, mode, closefd=False))
        elif isinstance(stream, io.TextIOWrapper) and fd:
            stream.reconfigure(errors="replace")


def _exit(code: int) -> NoReturn:
    """Flushes what was written and ends the process at once.

    Everything with an end of its own has had it by now, and taking the interpreter apart module by module would cost
    a tenth of a fast verb's time.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        code = code or failures.exit_code(error)
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    os._exit(code)
