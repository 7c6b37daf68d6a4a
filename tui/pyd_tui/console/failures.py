"""The one place where an error becomes text on stderr and an exit code; click's own come as `mistakes` makes them."""

from __future__ import annotations

import os
import sys

from pyd_core.errors import Ambiguous, EngineUnavailable, InvalidInput, NotFound, PydError, Refused
from pyd_core.sanitise import safe

FAILED = 1
USAGE = 2
UNAVAILABLE = 125
"""The engine can't be used; in `debug` and `exec` any failure of pyd itself, as the docker CLI has it."""
INTERRUPTED = 128 + 2
PIPE_CLOSED = 128 + 13
"""As if SIGPIPE had ended it, which is what happens to other programs whose reader went away."""


def exit_code(error: BaseException, *, before_command: bool = False) -> int:
    """Returns the exit code an error ends pyd with.

    Args:
        error: What ended it.
        before_command: The verb was to run a command and pass its exit code on, and never got there: every failure of
            pyd's own is then 125, so that nobody takes it for the command's.
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
    """Returns what to tell of an error: what happened first, then what to do; nothing for an interruption."""
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
    """Writes an error to stderr.

    Args:
        error: What happened.
        subject: What it happened to, where several things were asked for.
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
    # One line each, whatever an engine put into its message.
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
