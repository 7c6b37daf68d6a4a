"""Errors as text on stderr and as exit codes; click's own errors are converted by `usage_errors`."""

from __future__ import annotations

import os
import sys

from pyd_core.errors import Ambiguous, EngineUnavailable, InvalidInput, NotFound, PydError, Refused
from pyd_core.sanitise import safe

FAILED = 1
USAGE = 2
UNAVAILABLE = 125
"""The engine can't be used; in `debug` and `exec`, any failure of pyd itself, as in the docker CLI."""
INTERRUPTED = 128 + 2
PIPE_CLOSED = 128 + 13
"""As for other programs that SIGPIPE ends because their reader is gone."""


def exit_code(error: BaseException, *, before_command: bool = False) -> int:
    """Return the exit code of pyd for an error.

    Args:
        error: The error.
        before_command: The command that pyd should run was not reached. All failures of pyd then exit with 125, which
            can't be mistaken for the command's exit code.
    """
    match error:
        case KeyboardInterrupt():
            code = INTERRUPTED
        case BrokenPipeError():
            code = PIPE_CLOSED
        case InvalidInput(reference="usage"):
            code = USAGE
        case EngineUnavailable() | Refused():
            code = UNAVAILABLE
        case PydError(reference="api-too-old"):
            code = UNAVAILABLE
        case InvalidInput(reference=InvalidInput.reference):
            code = UNAVAILABLE if before_command else USAGE
        case _:
            code = UNAVAILABLE if before_command else FAILED
    return code


def lines(error: BaseException) -> list[str]:
    """Return the lines to print for an error: the message, then the hint; none for an interruption."""
    match error:
        case KeyboardInterrupt() | BrokenPipeError():
            return []
        case PydError():
            return _lines(error.message, error.reference, error.hint or _suggestion(error))
        case OSError():
            return _lines(error.strerror or str(error), "io-error", "")
        case _:
            what = f"a bug in pyd: {type(error).__name__}: {error}"
            return _lines(what, "bug", "set PYD_TRACEBACK=1 to see where, and report it")


def report(error: BaseException, *, subject: str = "") -> None:
    """Write an error to stderr.

    Args:
        error: The error.
        subject: The object it concerns, if the command line names several.
    """
    text_lines = lines(error)
    if not text_lines:
        return
    if subject and subject not in text_lines[0]:
        text_lines[0] = f"{safe(subject)}: {text_lines[0]}"
    coloured = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    name = "\x1b[1;31mpyd:\x1b[0m" if coloured else "pyd:"
    text_lines[0] = f"{name} {text_lines[0]}"
    if os.environ.get("PYD_TRACEBACK"):
        import traceback

        text_lines.insert(0, "".join(traceback.format_exception(error)).rstrip())
    sys.stderr.write("\n".join(text_lines) + "\n")


def _lines(message: str, reference: str, hint: str) -> list[str]:
    # A line each, even if the engine's message has line breaks.
    text_lines = [f"{safe(' '.join(message.split()))} [{reference}]"]
    if hint:
        text_lines.append(f"hint: {safe(' '.join(hint.split()))}")
    return text_lines


def _suggestion(error: PydError) -> str:
    match error:
        case NotFound(nearest=nearest) if nearest:
            return f"did you mean {', '.join(nearest)}?"
        case Ambiguous(candidates=candidates):
            return f"it could be {', '.join(candidates)}"
        case _:
            return ""
