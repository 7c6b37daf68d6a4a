"""Start and end of every command: usable standard streams before it, its exit code after it."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from pyd_tui.console import failures


def end_with(work: Callable[[], int]) -> NoReturn:
    """Run a command and end the process with its exit code; the user never sees a traceback."""
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
    """Reopen closed standard streams, and replace characters that a stream can't encode."""
    for fd, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller; a file opened later must not become it
            os.open(os.devnull, os.O_RDWR)  # the lowest free descriptor, which is this one
            setattr(sys, name, os.fdopen(fd, mode, closefd=False))
        elif isinstance(stream, io.TextIOWrapper) and fd:
            stream.reconfigure(errors="replace")


def _exit(code: int) -> NoReturn:
    """Flush the output and end the process at once.

    All resources are closed by now, and finalizing the interpreter would take a tenth of a fast command's time.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        code = code or failures.exit_code(error)
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    os._exit(code)
