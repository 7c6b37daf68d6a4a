"""What hides containers, said beside the filter."""

from __future__ import annotations

from pyd_tui.dashboard.render.pieces import Cell, Piece, cell
from pyd_tui.dashboard.resources.container_filters import View


def narrowing(view: View) -> Cell:
    """Names the filters that are on besides the text."""
    pieces: list[Piece] = []
    if view.broken_only:
        pieces.append(Piece("only broken  ", "bad"))
    if view.living_only:
        pieces.append(Piece("only running  ", "good"))
    return tuple(pieces)


def tally(shown: int, total: int) -> Cell:
    """Says how many of all are shown, and how to see the rest."""
    return (*cell(f"{shown:,} of {total:,}", "text"), Piece("   "), Piece("esc", "accent"), Piece(" shows all", "dim"))
