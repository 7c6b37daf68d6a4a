"""Lines of a Dockerfile around an error, with a caret under the place."""

from __future__ import annotations

from collections.abc import Sequence

from pyd_core.buildkit.client.failure import SourceLines
from pyd_core.sanitise import safe

CONTEXT_LINES = 2
"""Lines that are shown before and after."""
MAX_LINE_CHARS = 200


def source_lines(source: SourceLines) -> list[str]:
    """Return the lines, with a caret below the first and `>` before each that is meant."""
    lines = source.text.splitlines()
    if not 0 < source.first <= len(lines):
        return [f"{safe(source.filename)}:{source.first}"]
    first = max(1, source.first - CONTEXT_LINES)
    last = min(len(lines), min(source.last, source.first + 20) + CONTEXT_LINES)
    digits = len(str(last))
    shown = [f"{safe(source.filename)}:{source.first}"]
    for number in range(first, last + 1):
        is_meant = source.first <= number <= source.last
        text = safe(lines[number - 1][:MAX_LINE_CHARS]).replace("\t", " ")
        shown.append(f"{'>' if is_meant else ' '} {number:>{digits}} | {text}".rstrip())
        if number == source.first:
            column = source.column or len(text) - len(text.lstrip())
            width = 1 if source.column else max(len(text.strip()), 1)
            shown.append(f"  {' ' * digits} | {' ' * column}{'^' * min(width, MAX_LINE_CHARS)}")
    return shown


def failure_lines(sources: Sequence[SourceLines]) -> list[str]:
    """Return the lines of the place that is closest to an error."""
    return source_lines(sources[0]) if sources else []
