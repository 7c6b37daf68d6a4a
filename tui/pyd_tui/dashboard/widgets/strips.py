"""Conversion of styled spans to Textual's strips."""

from __future__ import annotations

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from pyd_tui.dashboard.render.pieces import Cell, Span
from pyd_tui.dashboard.theme.styles import StylePalette


def strip(spans: Iterable[Span], palette: StylePalette, ground: str | None = None, *, stale: bool = False) -> Strip:
    """Make a strip of spans on one ground colour; neighbours of the same style become one segment."""
    segments: list[Segment] = []
    base = palette.style("text", ground, stale=stale)
    text, last = "", base
    for span in spans:
        role = span.role
        if isinstance(role, Style):
            style = base + (role.without_color if palette.plain else role)
        else:
            style = palette.style(role, ground, stale=stale)
        if style == last:
            text += span.text
            continue
        if text:
            segments.append(Segment(text, last))
        text, last = span.text, style
    if text:
        segments.append(Segment(text, last))
    return Strip(segments)


def thumb(y: int, page: int, top: int, count: int) -> Span:
    """Return the scroll mark of line `y` in a view of `page` of `count` rows from `top` on."""
    if count <= page or page <= 0:
        return Span(" ")
    length = max(1, page * page // count)
    start = top * (page - length) // max(1, count - page)
    return Span("┃", "dim") if start <= y < start + length else Span(" ")


def join(cells: Iterable[Cell], gap: str = "  ") -> Cell:
    """Join the non-empty cells with a gap between them."""
    result: list[Span] = []
    for spans in cells:
        if spans:
            if result:
                result.append(Span(gap))
            result += spans
    return tuple(result)
