"""Usage texts, which programs print after the error of a wrong option, or before it."""

from __future__ import annotations

import re
from collections.abc import Sequence

_USAGE = re.compile(r"\s*(?:\S+: )?usage:(?:\s+[^\s\d]|\s*$)", re.IGNORECASE)
"""The first line of a usage text."""
_SURROUNDING = re.compile(r"BusyBox v\S+ .*multi-call binary|.*\btry [`'\"]?\S+ (?:--help|-h)\b", re.IGNORECASE)
"""A line around a usage text that names no error either."""
_ERROR = re.compile(r"\S+: (?:error|fatal):? ", re.IGNORECASE)
"""An error after a usage text, as Python's argparse prints it."""


def last_line_of_error(lines: Sequence[str]) -> str:
    """Return the last line of a program's output that is no part of a usage text; empty without one."""
    printed = [line for line in lines if line.strip() and not _SURROUNDING.match(line)]
    start = next((index for index, line in enumerate(printed) if _USAGE.match(line)), None)
    if start is None:
        return printed[-1] if printed else ""
    after = [line for line in printed[start:] if _ERROR.match(line)]
    candidates = after or printed[:start]
    return candidates[-1] if candidates else ""
