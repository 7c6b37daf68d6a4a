"""Wrapping pieces of text to a width."""

from __future__ import annotations

from rich.cells import cell_len, chop_cells

from pyd_tui.dashboard.render.pieces import Cell, Span


def wrapped(pieces: Cell, columns: int, *, most: int, indent: int = 0) -> list[Cell]:
    """Break a line into rows of a width, wherever that is; text past the last row allowed is said to be there.

    Args:
        pieces: The line.
        columns: Terminal columns of a row.
        most: Rows at most.
        indent: Blank columns before all rows but the first.
    """
    rows: list[list[Span]] = [[]]
    room = columns
    for piece in pieces:
        text = piece.text
        while text:
            if cell_len(text) <= room:
                rows[-1].append(Span(text, piece.role))
                room -= cell_len(text)
                break
            head = _head(text, room)
            if head:
                rows[-1].append(Span(head, piece.role))
                text = text[len(head) :]
            elif room >= columns - indent:  # nothing of it fits a whole row
                break
            if len(rows) == most:
                rows[-1].append(Span("…", "dim"))
                return [tuple(row) for row in rows]
            rows.append([Span(" " * indent)] if indent else [])
            room = columns - indent
    return [tuple(row) for row in rows]


def _head(text: str, room: int) -> str:
    """The beginning of a text that fits."""
    if room <= 0:
        return ""
    head = chop_cells(text[: 2 * room + 8], room)[0]
    return head if cell_len(head) <= room else ""
