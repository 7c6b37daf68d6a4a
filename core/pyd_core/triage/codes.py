"""Meanings of exit codes and signals."""

from __future__ import annotations

import signal
from typing import Literal

import msgspec

Who = Literal["program", "engine", "kernel", "anyone"]

SIGNALS: dict[int, str] = {
    1: "hang up: the terminal was closed, or reload the configuration",
    2: "interrupt, as Ctrl-C sends it",
    3: "quit, with a core dump",
    4: "illegal instruction",
    5: "trap, a debugger's breakpoint",
    6: "abort: the program ended itself (assertion, uncaught exception, corrupted heap)",
    7: "bus error: mapped memory without backing, such as a truncated file",
    8: "arithmetic fault, such as an integer division by zero",
    9: "kill: can't be caught or ignored",
    10: "user signal 1",
    11: "segmentation fault: an invalid memory access",
    12: "user signal 2",
    13: "broken pipe: wrote to a closed pipe or connection",
    14: "alarm",
    15: "terminate: the usual stop signal",
    24: "CPU time limit exceeded",
    25: "file size limit exceeded",
    31: "bad system call: forbidden by a seccomp filter",
}
"""By number on x86 and arm64 (signal(7))."""


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """An exit code and its meaning."""

    code: int
    title: str
    meaning: str
    several: bool = False
    """Whether programs also use it for other errors, so that it proves nothing on its own."""


_CODES: dict[int, tuple[str, str, bool]] = {
    0: ("success", "The program exited and reports success.", False),
    1: ("a general error", "The usual code for any error; the output of the program names it.", True),
    2: (
        "wrong usage, or a general error",
        "By convention wrong arguments, and in shells misuse of a builtin; many programs use it for other errors.",
        True,
    ),
    125: (
        "the engine's command failed",
        "`docker run` and `podman run` say this when they failed before the container's command started.",
        True,
    ),
    126: (
        "found but not executable",
        "The command exists but can't be executed: no execute permission, a directory, or a wrong format.",
        True,
    ),
    127: (
        "command not found",
        "The engine or a shell in the container didn't find the command, or its loader or a library is missing.",
        True,
    ),
    128: (
        "the engine couldn't start it",
        "Engines set this if the setup of the command failed: port, user, device.",
        True,
    ),
    255: (
        "out of range, or a failure of the runtime",
        "`exit(-1)`; also ssh's own errors and those of container runtimes.",
        True,
    ),
}


def signal_name(number: int) -> str:
    """Return `SIGTERM` for 15, and `signal 99` for one without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIGRT{number - 34:+d}" if 34 <= number <= 64 else f"signal {number}"


def signal_number(text: str) -> int | None:
    """Read `9`, `KILL` or `SIGKILL`; None when there is no such signal."""
    if text.isdigit():
        return int(text)
    name = text.upper()
    try:
        return signal.Signals[name if name.startswith("SIG") else f"SIG{name}"].value
    except KeyError:
        return None


def signal_of(code: int) -> int | None:
    """Return the signal of an exit code above 128, by the convention of shells and engines."""
    return code - 128 if 129 <= code <= 192 else None


def explain_code(code: int) -> Code:
    """Return an exit code's meaning and whether it is ambiguous."""
    if code in _CODES:
        title, meaning, several = _CODES[code]
        return Code(code=code, title=title, meaning=meaning, several=several)
    number = signal_of(code)
    if number is None:
        return Code(
            code=code, title="application-defined", meaning="Only the manual of the program defines it.", several=True
        )
    name = signal_name(number)
    words = SIGNALS.get(number, "a signal")
    meaning = f"128 + {number}: ended by {name} ({words}), or the program returned {code} itself."
    if number == 9:
        meaning += (
            " SIGKILL comes from the engine (stop after its grace period, kill, rm -f), from a person or program on the"
            " host, or from the kernel when memory ran out. The code does not show which."
        )
    return Code(code=code, title=f"{name}: {words}", meaning=meaning, several=True)
