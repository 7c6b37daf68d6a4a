"""The line of a program's output that names its error."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pyd_core.logs.fields import level_of
from pyd_core.logs.levels import LogLevel
from pyd_core.triage.evidence import EvidenceLogLine

_EXCEPTION = re.compile(r"^(?:[\w.$]+(?:Error|Exception|Interrupt)\b|panic: |Exception in thread|Caused by: )")
"""How the lines begin in which Python, Java, .NET, Node and Go name what nobody caught."""


def error_line(lines: Iterable[EvidenceLogLine]) -> EvidenceLogLine | None:
    """Return the line that most likely says what went wrong: the last of the most serious ones.

    Lines that say an error level or name an exception come before what else is printed to stderr, that before stdout.
    What continues a line, such as the frames of a traceback, counts least, and what says that it is routine never.
    """
    best: tuple[int, EvidenceLogLine] | None = None
    for line in lines:
        weight = _weight(line)
        if weight and (best is None or weight >= best[0]):
            best = weight, line
    return None if best is None else best[1]


def is_routine(line: EvidenceLogLine) -> bool:
    """Whether a line says of itself that it is informational or less."""
    level = level_of(line.text.encode(errors="replace"))
    return level is not None and level <= LogLevel.INFO


def _weight(line: EvidenceLogLine) -> int:
    if not line.text.strip():
        return 0
    level = level_of(line.text.encode(errors="replace"))
    if level is not None and level <= LogLevel.INFO:
        return 0
    if line.text[0].isspace():
        return 1
    if _EXCEPTION.match(line.text) or (level is not None and level >= LogLevel.ERROR):
        return 4
    return 3 if line.stream == "stderr" or level is not None else 2
