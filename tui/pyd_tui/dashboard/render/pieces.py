"""Styled text independent of any screen: spans with a role, and cells fitted to a width.

A role says what a span means; the theme decides how that looks. No markup language is involved, so container output
can't be taken for markup.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from rich.cells import cell_len, chop_cells

from pyd_core.sanitise import safe

if TYPE_CHECKING:
    from rich.style import Style

Source = Literal["source0", "source1", "source2", "source3", "source4", "source5"]
"""Colour of one of several containers whose lines are interleaved."""
Role = Literal["text", "strong", "dim", "faint", "accent", "good", "warn", "bad", "info", "match", "title"] | Source

ELLIPSIS = "…"
MAX_WRAPPED_LINES = 50
"""The number of lines to which one text is wrapped."""


class Span(NamedTuple):
    """Terminal-safe text and its role; a style instead of a role is the text's own colour."""

    text: str
    role: Role | Style = "text"


Cell = tuple[Span, ...]

EMPTY: Cell = ()


def cell(text: str, role: Role = "text") -> Cell:
    """Return a one-line cell of any text: control characters are made visible, tabs become blanks."""
    return (Span(safe(text).replace("\t", " "), role),) if text else EMPTY


def columns(text: str) -> int:
    """Return the terminal columns that untrusted text takes once it is safe."""
    return len(text) if text.isascii() else cell_len(safe(text))  # ASCII control characters become one column


def width(spans: Sequence[Span]) -> int:
    """Return the terminal columns of the spans."""
    return sum(cell_len(piece.text) for piece in spans)


def fit(spans: Cell, columns: int, *, right: bool = False, cut_start: bool = False) -> Cell:
    """Pad or cut a cell to an exact width; a cut is always marked with an ellipsis.

    Args:
        spans: The cell.
        columns: Width in terminal columns.
        right: Align to the right.
        cut_start: Cut the start rather than the end, for texts whose end matters most (image names).
    """
    if columns <= 0:
        return EMPTY
    used = width(spans)
    if used > columns:
        spans = _cut_start(spans, columns) if cut_start else _cut_end(spans, columns)
        used = width(spans)
    if used == columns:
        return spans
    blank = Span(" " * (columns - used))
    return (blank, *spans) if right else (*spans, blank)


def _cut_end(spans: Cell, columns: int) -> Cell:
    kept: list[Span] = []
    room = columns - 1
    for span in spans:
        size = cell_len(span.text)
        if size <= room:
            kept.append(span)
            room -= size
            continue
        head = chop_cells(span.text, room)[0] if room else ""
        if cell_len(head) > room:  # a wide character in a single column
            head = ""
        kept.append(Span(head + ELLIPSIS, span.role))
        break
    return tuple(kept)


def _cut_start(spans: Cell, columns: int) -> Cell:
    kept = slide(spans, width(spans) - columns + 1)
    return (Span(ELLIPSIS + kept[0].text, kept[0].role), *kept[1:]) if kept else (Span(ELLIPSIS, spans[-1].role),)


def wrap(spans: Cell, columns: int) -> list[Cell]:
    """Return the lines of a cell that is broken at a width, wherever that is; the last of many isn't broken."""
    lines: list[Cell] = []
    while spans and len(lines) < MAX_WRAPPED_LINES - 1 and width(spans) > columns:
        used, head = 0, []
        for index, span in enumerate(spans):
            size = cell_len(span.text)
            if used + size <= columns:
                used += size
                head.append(span)
                continue
            text = span.text[: columns - used] if span.text.isascii() else _chop(span.text, columns - used)
            rest = Span(span.text[len(text) :], span.role)
            spans = (rest, *spans[index + 1 :])
            if text:
                head.append(Span(text, span.role))
            break
        if not head:  # a wide character in a single column
            break
        lines.append(tuple(head))
    return [*lines, spans] if spans else lines


def _chop(text: str, columns: int) -> str:
    """Return the longest beginning that fits so many terminal columns."""
    head = chop_cells(text[: 4 * columns], columns)[0] if columns else ""
    return head if cell_len(head) <= columns else ""


def slide(spans: Cell, columns: int) -> Cell:
    """Drop the first terminal columns of a line that is moved sideways.

    A wide character across the edge leaves a blank; combining characters go with the character they modify.
    """
    if not columns:
        return spans
    result: list[Span] = []
    for index, span in enumerate(spans):
        if span.text.isascii():
            dropped = min(columns, len(span.text))
            columns -= dropped
            text = span.text[dropped:]
        else:
            text, columns = _text_after(span.text, columns)
        if text:
            result.append(Span(text, span.role))
        if not columns:
            return (*result, *spans[index + 1 :])
    return tuple(result)


def _text_after(text: str, columns: int) -> tuple[str, int]:
    """Return the text after so many terminal columns, and how many of these it falls short of."""
    for index, character in enumerate(text):
        size = cell_len(character)
        if columns <= 0 and size:
            return " " * -columns + text[index:], 0
        columns -= size
    return " " * -columns, max(0, columns)


def highlight(spans: Cell, needle: str) -> Cell:
    """Give every occurrence of `needle` within a span the role of a match, ignoring case."""
    if not needle:
        return spans
    folded_needle = needle.casefold()
    result: list[Span] = []
    for span in spans:
        folded = span.text.casefold()
        if len(folded) != len(span.text) or folded_needle not in folded:
            result.append(span)
            continue
        start = 0
        while (index := folded.find(folded_needle, start)) >= 0:
            if index > start:
                result.append(Span(span.text[start:index], span.role))
            start = index + len(folded_needle)
            result.append(Span(span.text[index:start], "match"))
        if start < len(span.text):
            result.append(Span(span.text[start:], span.role))
    return tuple(result)


def highlight_spans(cell_spans: Cell, find_matches: Callable[[str], list[tuple[int, int]]]) -> Cell:
    """Give the role of a match to the parts of each span that `find_matches` finds in its text."""
    result: list[Span] = []
    for span in cell_spans:
        start = 0
        for match_start, end in find_matches(span.text):
            if match_start > start:
                result.append(Span(span.text[start:match_start], span.role))
            result.append(Span(span.text[match_start:end], "match"))
            start = end
        if start < len(span.text):
            result.append(Span(span.text[start:], span.role))
    return tuple(result)
