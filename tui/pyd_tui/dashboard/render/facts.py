"""Labelled facts as lines under headings."""

from __future__ import annotations

import textwrap

from pyd_core.sanitise import safe
from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Role, Span, cell, columns, fit

LABEL_COLUMNS = 14
"""Terminal columns of the labels on the left."""
MIN_WRAP_COLUMNS = 20


def fact(name: str, *cells: Cell) -> Cell:
    """Return a line with a label; one that is too long pushes the value aside."""
    label = fit(cell(name, "dim"), LABEL_COLUMNS) if columns(name) < LABEL_COLUMNS else (*cell(name, "dim"), Span("  "))
    return (Span(" "), *label, *(piece for pieces in cells for piece in pieces))


def sentence_fact(name: str, text: str, room: int, role: Role = "text") -> list[Cell]:
    """Return a label and a sentence, which is wrapped to `room` terminal columns, label included."""
    first, *rest = wrapped(text, room - LABEL_COLUMNS - 1)
    return [fact(name, cell(first, role)), *(fact("", cell(line, role)) for line in rest)]


def wrapped(text: str, room: int) -> list[str]:
    """Return the lines of a sentence; a single word, such as a path, stays one line."""
    shown = safe(text)
    if " " not in shown:
        return [shown]
    return textwrap.wrap(shown, max(MIN_WRAP_COLUMNS, room), break_on_hyphens=False) or [""]


def title(text: str) -> Cell:
    """Return the heading of the facts below it."""
    return (Span(f" {text}", "title"),)


def block(heading: str, lines: list[Cell]) -> list[Cell]:
    """Return facts under a heading, after a blank line; empty if there are none."""
    return [EMPTY, title(heading), *lines] if lines else []


def nothing(text: str) -> list[Cell]:
    """Return the lines that stand in for an empty list."""
    return [EMPTY, (Span(f" {text}", "dim"),)]
