"""Wrapping of styled text to a width."""

from __future__ import annotations

from rich.cells import cell_len, chop_cells

from pyd_tui.dashboard.render.pieces import Cell, Span


def wrap_spans(line: Cell, columns: int, *, max_rows: int, indent: int = 0) -> list[Cell]:
    """Break a line into rows of a width at any character; text beyond the last row is marked by an ellipsis.

    Args:
        line: The line.
        columns: Terminal columns of a row.
        max_rows: Maximum number of rows.
        indent: Blank columns before all rows but the first.
    """
    rows: list[list[Span]] = [[]]
    room = columns
    for span in line:
        text = span.text
        while text:
            if cell_len(text) <= room:
                rows[-1].append(Span(text, span.role))
                room -= cell_len(text)
                break
            head = _head(text, room)
            if head:
                rows[-1].append(Span(head, span.role))
                text = text[len(head) :]
            elif room >= columns - indent:  # nothing of it fits a whole row
                break
            if len(rows) == max_rows:
                rows[-1].append(Span("…", "dim"))
                return [tuple(row) for row in rows]
            rows.append([Span(" " * indent)] if indent else [])
            room = columns - indent
    return [tuple(row) for row in rows]


def _head(text: str, room: int) -> str:
    """Return the longest start of a text that fits."""
    if room <= 0:
        return ""
    head = chop_cells(text[: 2 * room + 8], room)[0]
    return head if cell_len(head) <= room else ""
