"""Named facts as lines: a label on the left, what is known on the right, under titles."""

from __future__ import annotations

from pyd_tui.dashboard.render.pieces import EMPTY, Cell, Span

LABEL = 14
"""Terminal columns of the names on the left."""


def fact(name: str, *cells: Cell) -> Cell:
    """A line with a label that is known to be safe."""
    return (Span(f" {name:<{LABEL}}", "dim"), *(piece for pieces in cells for piece in pieces))


def title(text: str) -> Cell:
    """The heading of the facts below it."""
    return (Span(f" {text}", "title"),)


def block(heading: str, lines: list[Cell]) -> list[Cell]:
    """Facts under a heading, with a blank line before; nothing when there are none."""
    return [EMPTY, title(heading), *lines] if lines else []


def nothing(text: str) -> list[Cell]:
    """Says that there is nothing to show."""
    return [EMPTY, (Span(f" {text}", "dim"),)]
