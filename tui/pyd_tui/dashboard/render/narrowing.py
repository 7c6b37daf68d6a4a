"""What hides containers, said beside the filter."""

from __future__ import annotations

from pyd_tui.dashboard.render.pieces import Cell, Span, cell
from pyd_tui.dashboard.resources.container_filters import View


def narrowing(view: View) -> Cell:
    """Names the filters that are on besides the text."""
    pieces: list[Span] = []
    if view.broken_only:
        pieces.append(Span("only broken  ", "bad"))
    if view.living_only:
        pieces.append(Span("only running  ", "good"))
    return tuple(pieces)


def tally(shown: int, total: int) -> Cell:
    """Says how many of all are shown, and how to see the rest."""
    return (*cell(f"{shown:,} of {total:,}", "text"), Span("   "), Span("esc", "accent"), Span(" shows all", "dim"))
