"""Rows of a search through all logs: time, container, and the line with its matches marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyd_tui.dashboard.render.figures import Clock, counted
from pyd_tui.dashboard.render.layout import LayoutColumn
from pyd_tui.dashboard.render.logs import MAX_DRAWN_BYTES, coloured
from pyd_tui.dashboard.render.pieces import ELLIPSIS, EMPTY, Cell, Span, cell, highlight_spans, slide, width

if TYPE_CHECKING:
    from pyd_core.logs.pattern import LogPattern
    from pyd_tui.dashboard.logs.search_results import Hit, SearchResults

COLUMNS = (
    LayoutColumn(key="time", title="TIME", min_width=15, max_width=15, priority=2),
    LayoutColumn(key="engine", title="ENGINE", min_width=6, max_width=20, priority=3, optional=True),
    LayoutColumn(key="name", title="CONTAINER", min_width=8, max_width=32, priority=0),
    LayoutColumn(key="line", title="LINE", min_width=10, max_width=MAX_DRAWN_BYTES, priority=0),
)
AFTER_COLUMNS = 24
"""Terminal columns shown after the first match of a line that is moved sideways."""


def match_row(hit: Hit, pattern: LogPattern, clock: Clock, *, engine: bool, room: int) -> tuple[Cell, ...]:
    """Write a matching line; `engine` adds the engine's name, and `room` is the width of the line's column."""
    line = hit.line
    then = clock.local(line.time_ns)
    return (
        cell(f"{then.day:2} {then:%b %H:%M:%S}", "dim"),
        cell(hit.link.label, "info") if engine else EMPTY,
        cell(line.name, "strong"),
        _marked(line.data, pattern, room),
    )


def _marked(data: bytes, pattern: LogPattern, room: int) -> Cell:
    """Return the line, moved sideways as far as its first match needs."""
    pieces = highlight_spans(coloured(data[:MAX_DRAWN_BYTES]), pattern.spans)
    index = next((index for index, piece in enumerate(pieces) if piece.role == "match"), None)
    total = width(pieces)
    if index is None or total <= room:
        return pieces
    start, end = width(pieces[:index]), width(pieces[: index + 1])
    if end < room:  # the last column has the ellipsis
        return pieces
    hidden = min(start, end + AFTER_COLUMNS - room + 2, total - room + 1)
    return (Span(ELLIPSIS, "dim"), *slide(pieces, hidden)) if hidden > 1 else pieces


def content_widths(findings: SearchResults, *, engine: bool) -> dict[str, int]:
    """Return the width of each column's widest content."""
    lines = [hit.line for hit in findings.hits.values()]
    return {
        "time": 15,
        "engine": max((len(hit.link.label) for hit in findings.hits.values()), default=0) if engine else 0,
        "name": max((len(line.name) for line in lines), default=0),
        "line": min(MAX_DRAWN_BYTES, max((len(line.data) for line in lines), default=0)),
    }


def search_summary(findings: SearchResults, *, running: bool, stopped: bool) -> Cell:
    """Summarise how much was found, where, and whether the search is complete."""
    count, holders = len(findings.keys), len(findings.holders)
    summary = f"{counted(count, 'line')} in {holders} of {counted(findings.containers, 'container')}"
    pieces = [*cell(summary, "dim")]
    if findings.errors:
        pieces += cell(f"  {len(findings.errors)} can't be read", "warn")
    if running:
        pieces += cell(f"  searching, {findings.read_count} read", "accent")
    elif findings.full:
        pieces += cell("  as many as are held: there may be more", "warn")
    elif stopped:
        pieces += cell("  stopped: there may be more", "warn")
    else:
        pieces += cell("  all read", "good")
    return tuple(pieces)
