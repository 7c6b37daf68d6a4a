"""Choice of the line of output that names the error."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pyd_core.logs.fields import level_of
from pyd_core.logs.levels import LogLevel
from pyd_core.triage.evidence import EvidenceLogLine

_EXCEPTION = re.compile(r"^(?:[\w.$]+(?:Error|Exception|Interrupt)\b|panic: |Exception in thread|Caused by: )")
"""The start of lines in which Python, Java, .NET, Node and Go report an uncaught error."""


def error_line(lines: Iterable[EvidenceLogLine]) -> EvidenceLogLine | None:
    """Return the line that most likely names the error: the last of the most serious ones.

    Lines with an error level or an exception come first, then other lines of stderr, then stdout. Continuation lines,
    such as the frames of a traceback, come last; informational lines never count.
    """
    best: tuple[int, EvidenceLogLine] | None = None
    for line in lines:
        weight = _weight(line)
        if weight and (best is None or weight >= best[0]):
            best = weight, line
    return None if best is None else best[1]


def is_routine(line: EvidenceLogLine) -> bool:
    """Return whether a line has an informational level or a lower one."""
    level = level_of(line.text.encode(errors="replace"))
    return level is not None and level <= LogLevel.INFO


def is_error(line: EvidenceLogLine) -> bool:
    """Return whether a line names an error, or was at least printed to stderr."""
    return _weight(line) >= 3


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
