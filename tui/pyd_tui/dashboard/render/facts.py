"""Labelled facts as lines under headings."""

from __future__ import annotations

from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span, cell, columns, fit

LABEL_COLUMNS = 14
"""Terminal columns of the labels on the left."""


def fact(name: str, *cells: Cell) -> Cell:
    """Return a line with a label; one that is too long pushes the value aside."""
    label = fit(cell(name, "dim"), LABEL_COLUMNS) if columns(name) < LABEL_COLUMNS else (*cell(name, "dim"), Span("  "))
    return (Span(" "), *label, *(piece for pieces in cells for piece in pieces))


def title(text: str) -> Cell:
    """Return the heading of the facts below it."""
    return (Span(f" {text}", "title"),)


def block(heading: str, lines: list[Cell]) -> list[Cell]:
    """Return facts under a heading, after a blank line; empty if there are none."""
    return [EMPTY, title(heading), *lines] if lines else []


def nothing(text: str) -> list[Cell]:
    """Return the lines that stand in for an empty list."""
    return [EMPTY, (Span(f" {text}", "dim"),)]
