"""Lines of a file that a finding is about, with a caret below the first."""

from __future__ import annotations

from collections.abc import Sequence

from pyd_core.sanitise import safe

MAX_EXCERPT_LINES = 6
MAX_LINE_LENGTH = 160


def excerpt_lines(lines: Sequence[str], start: int, end: int) -> list[str]:
    """Return lines with their numbers, and a caret below the first; a long excerpt is cut.

    Args:
        lines: The file's lines.
        start: First line, from 1.
        end: Last line.
    """
    last = min(end, start + MAX_EXCERPT_LINES - 1, len(lines))
    digits = len(str(last))
    shown: list[str] = []
    for number in range(start, last + 1):
        text = safe(lines[number - 1][:MAX_LINE_LENGTH]).replace("\t", " ")
        shown.append(f"{number:>{digits}} | {text}".rstrip())
        if number == start:
            bare = text.strip()
            shown.append(f"{' ' * digits} | {' ' * (len(text) - len(text.lstrip()))}{'^' * max(len(bare), 1)}")
    if last < min(end, len(lines)):
        shown.append(f"{' ' * digits} | …")
    return shown
