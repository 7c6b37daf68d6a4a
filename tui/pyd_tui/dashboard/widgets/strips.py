"""From pieces to what Textual's line API wants."""

from __future__ import annotations

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from pyd_tui.dashboard.render.pieces import Cell, Span
from pyd_tui.dashboard.theme.styles import StylePalette


def strip(pieces: Iterable[Span], palette: StylePalette, ground: str | None = None, *, stale: bool = False) -> Strip:
    """Make a strip of pieces on one ground colour; neighbours that look alike become one segment."""
    segments: list[Segment] = []
    base = palette.style("text", ground, stale=stale)
    text, last = "", base
    for piece in pieces:
        role = piece.role
        if isinstance(role, Style):
            style = base + (role.without_color if palette.plain else role)
        else:
            style = palette.style(role, ground, stale=stale)
        if style == last:
            text += piece.text
            continue
        if text:
            segments.append(Segment(text, last))
        text, last = piece.text, style
    if text:
        segments.append(Segment(text, last))
    return Strip(segments)


def thumb(y: int, page: int, top: int, count: int) -> Span:
    """Return the scroll mark of line `y` of a view that shows `page` of `count` rows from `top` on."""
    if count <= page or page <= 0:
        return Span(" ")
    length = max(1, page * page // count)
    start = top * (page - length) // max(1, count - page)
    return Span("┃", "dim") if start <= y < start + length else Span(" ")


def join(cells: Iterable[Cell], gap: str = "  ") -> Cell:
    """Put cells after one another with a gap between those that have something in them."""
    result: list[Span] = []
    for pieces in cells:
        if pieces:
            if result:
                result.append(Span(gap))
            result += pieces
    return tuple(result)
