"""Choice of the line of output that names the error."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from pyd_core.logs.fields import level_of
from pyd_core.logs.levels import LogLevel
from pyd_core.triage.evidence import EvidenceLogLine

MAX_WEIGHT = 4
"""The weight of a line with an error level, or of an exception."""
MIN_ERROR_WEIGHT = 3
"""The least weight of a line that was printed as an error, at least to stderr."""
RECENT_NS = 60 * 10**9
"""Nanoseconds before the end of a run within which an ordinary line may name its cause."""

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
    return _weight(line) >= MIN_ERROR_WEIGHT


def credible_lines(
    lines: Sequence[EvidenceLogLine], names_error: Callable[[EvidenceLogLine], bool], end_ns: int | None
) -> list[EvidenceLogLine]:
    """Return the lines of a run's output in which words of an error aren't there by chance.

    An ordinary line of stdout doesn't count if a line of stderr or of an error level names an error after it, nor if it
    was printed long before the end. `Killed 3 idle sessions` then says nothing about a crash an hour later.

    Args:
        lines: The last lines, oldest first.
        names_error: Returns whether a line has words of an error.
        end_ns: The end of the run; None while it runs.
    """
    last = -1
    for index, line in enumerate(lines):
        weight = _weight(line)
        if weight == MAX_WEIGHT or (weight >= MIN_ERROR_WEIGHT and names_error(line)):
            last = index
    return [
        line
        for index, line in enumerate(lines)
        if _weight(line) >= MIN_ERROR_WEIGHT or (index > last and _is_recent(line, end_ns))
    ]


def _is_recent(line: EvidenceLogLine, end_ns: int | None) -> bool:
    return end_ns is None or line.time_ns is None or end_ns - line.time_ns <= RECENT_NS


def _weight(line: EvidenceLogLine) -> int:
    if not line.text.strip():
        return 0
    level = level_of(line.text.encode(errors="replace"))
    if level is not None and level <= LogLevel.INFO:
        return 0
    if line.text[0].isspace():
        return 1
    if _EXCEPTION.match(line.text) or (level is not None and level >= LogLevel.ERROR):
        return MAX_WEIGHT
    return MIN_ERROR_WEIGHT if line.stream == "stderr" or level is not None else 2
