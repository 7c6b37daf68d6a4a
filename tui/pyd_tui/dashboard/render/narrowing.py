"""Active filters, shown next to the filter text."""

from __future__ import annotations

from pyd_tui.dashboard.render.pieces import Cell, Span, cell
from pyd_tui.dashboard.resources.container_filters import View


def active_filters(view: View) -> Cell:
    """Name the active filters other than the text."""
    pieces: list[Span] = []
    if view.broken_only:
        pieces.append(Span("only broken  ", "bad"))
    if view.running_only:
        pieces.append(Span("only running  ", "good"))
    return tuple(pieces)


def ordered_by_part(measured: int, running: int) -> Cell:
    """Show that an order rests on the usage of only some running containers."""
    return cell(f"ordered by what has been measured, {measured:,} of {running:,}  ", "warn")


def shown_count(shown: int, total: int) -> Cell:
    """Show how many containers are visible, and the key that shows all; the notice of an empty list names it too."""
    if not shown:
        return cell(f"0 of {total:,}", "text")
    return (*cell(f"{shown:,} of {total:,}", "text"), Span("   "), Span("esc", "accent"), Span(" shows all", "dim"))
