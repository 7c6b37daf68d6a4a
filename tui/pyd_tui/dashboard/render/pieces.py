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


def width(pieces: Sequence[Span]) -> int:
    """Return the terminal columns of the spans."""
    return sum(cell_len(piece.text) for piece in pieces)


def fit(pieces: Cell, columns: int, *, right: bool = False, from_start: bool = False) -> Cell:
    """Pad or cut a cell to an exact width; a cut is always marked with an ellipsis.

    Args:
        spans: The cell.
        columns: Width in terminal columns.
        right: Align to the right.
        cut_start: Cut the start rather than the end, for texts whose end matters most (image names).
    """
    if columns <= 0:
        return EMPTY
    taken = width(pieces)
    if taken > columns:
        pieces = _cut_start(pieces, columns) if from_start else _cut_end(pieces, columns)
        taken = width(pieces)
    if taken == columns:
        return pieces
    blank = Span(" " * (columns - taken))
    return (blank, *pieces) if right else (*pieces, blank)


def _cut_end(pieces: Cell, columns: int) -> Cell:
    kept: list[Span] = []
    room = columns - 1
    for piece in pieces:
        size = cell_len(piece.text)
        if size <= room:
            kept.append(piece)
            room -= size
            continue
        head = chop_cells(piece.text, room)[0] if room else ""
        if cell_len(head) > room:  # a wide character in a single column
            head = ""
        kept.append(Span(head + ELLIPSIS, piece.role))
        break
    return tuple(kept)


def _cut_start(pieces: Cell, columns: int) -> Cell:
    kept = slide(pieces, width(pieces) - columns + 1)
    return (Span(ELLIPSIS + kept[0].text, kept[0].role), *kept[1:]) if kept else (Span(ELLIPSIS, pieces[-1].role),)


def slide(pieces: Cell, columns: int) -> Cell:
    """Drop the first terminal columns of a line that is moved sideways.

    A wide character across the edge leaves a blank; combining characters go with the character they modify.
    """
    if not columns:
        return pieces
    result: list[Span] = []
    for at, piece in enumerate(pieces):
        if piece.text.isascii():
            dropped = min(columns, len(piece.text))
            columns -= dropped
            text = piece.text[dropped:]
        else:
            text, columns = _behind(piece.text, columns)
        if text:
            result.append(Span(text, piece.role))
        if not columns:
            return (*result, *pieces[at + 1 :])
    return tuple(result)


def _behind(text: str, columns: int) -> tuple[str, int]:
    """Return the text after so many terminal columns, and how many of these it falls short of."""
    for at, character in enumerate(text):
        size = cell_len(character)
        if columns <= 0 and size:
            return " " * -columns + text[at:], 0
        columns -= size
    return " " * -columns, max(0, columns)


def highlight(pieces: Cell, needle: str) -> Cell:
    """Give every occurrence of `needle` within a span the role of a match, ignoring case."""
    if not needle:
        return pieces
    wanted = needle.casefold()
    result: list[Span] = []
    for piece in pieces:
        folded = piece.text.casefold()
        if len(folded) != len(piece.text) or wanted not in folded:
            result.append(piece)
            continue
        start = 0
        while (at := folded.find(wanted, start)) >= 0:
            if at > start:
                result.append(Span(piece.text[start:at], piece.role))
            start = at + len(wanted)
            result.append(Span(piece.text[at:start], "match"))
        if start < len(piece.text):
            result.append(Span(piece.text[start:], piece.role))
    return tuple(result)


def highlight_spans(pieces: Cell, spans: Callable[[str], list[tuple[int, int]]]) -> Cell:
    """Give the role of a match to the parts of each span that `find_matches` finds in its text."""
    result: list[Span] = []
    for piece in pieces:
        start = 0
        for at, end in spans(piece.text):
            if at > start:
                result.append(Span(piece.text[start:at], piece.role))
            result.append(Span(piece.text[at:end], "match"))
            start = end
        if start < len(piece.text):
            result.append(Span(piece.text[start:], piece.role))
    return tuple(result)
