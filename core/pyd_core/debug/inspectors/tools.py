"""Running the toolbox's programs in the target's view, with what they print as it comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pyd_core.debug.access import Access, AccessProcess
from pyd_core.debug.toolbox import PREFIX

MAX_LINE_BYTES = 1 << 20
"""Bytes; what a program prints without a line end beyond this is a line of its own."""

_BASH = (f"{PREFIX}/bin/bash", "--noprofile", "--norc", "-c")


def tool(name: str) -> str:
    """Return the path of a program of the toolbox: never one of the target's that has the name too."""
    return f"{PREFIX}/bin/{name}"


def of_target(argv: Sequence[str]) -> list[str]:
    """Return a command that finds programs as the target does, without the tools on its PATH."""
    return [f"{PREFIX}/forced/@target", *argv]


def merged(argv: Sequence[str]) -> list[str]:
    """Return a command whose errors come with its output, as on a terminal."""
    return [*_BASH, 'exec "$@" 2>&1', "run", *argv]


def swapped(argv: Sequence[str]) -> list[str]:
    """Return a command whose output and errors change places."""
    return [*_BASH, 'exec "$@" 3>&1 1>&2 2>&3 3>&-', "run", *argv]


def timed(argv: Sequence[str], seconds: float | None) -> list[str]:
    """Return a command that is interrupted, as by ctrl-c, after a time."""
    return list(argv) if seconds is None else [tool("timeout"), "-s", "INT", f"{seconds:g}", *argv]


def lines_of(process: AccessProcess) -> Iterator[str]:
    """Yield the lines that a process prints on stdout, each with its line feed."""
    rest = b""
    while data := process.read():
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace") + "\n"
        if len(rest) > MAX_LINE_BYTES:
            yield rest.decode(errors="replace") + "\n"
            rest = b""
    if rest:
        yield rest.decode(errors="replace") + "\n"


def is_there(access: Access, name: str) -> bool:
    """Return whether the toolbox of this session has a program."""
    return access.run([*_BASH, f"[ -x {tool(name)} ]"]).code == 0
